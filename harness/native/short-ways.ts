/**
 * @file Shorter ways through tfjs's engine to the same tensors, scopes and gradients. On batches of a few dozen rows its own
 * way to a kernel costs as much as the kernel.
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { isServed } from './backend.ts';

/** What of the engine is called or replaced here; most of it is private to tfjs. */
interface Engine {
  state: {
    gradientDepth: number;
    kernelDepth: number;
    profiling: boolean;
    activeScope: { id: number; track: Tf.Tensor[] };
    scopeStack: { id: number; track: Tf.Tensor[] }[];
    tensorInfo: { get(dataId: object): { backend: unknown } | undefined };
    activeTape: unknown[];
  };
  backend: { incRef(dataId: object): void };
  backendName: string | null;
  ENV: { getBool(flag: string): boolean };
  runKernel(name: string, inputs: Tf.NamedTensorMap, attrs?: Tf.NamedAttrMap): Tf.Tensor | Tf.Tensor[];
  makeTensorFromTensorInfo(info: Tf.TensorInfo): Tf.Tensor;
  clone(x: Tf.Tensor): Tf.Tensor;
  endScope(result?: unknown): void;
  track(tensor: Tf.Tensor): void;
  startTape(): void;
  addTapeNode(
    name: string,
    inputs: Tf.NamedTensorMap,
    outputs: Tf.Tensor[],
    gradient: (dy: Tf.Tensor) => Record<string, () => Tf.Tensor>,
    saved: Tf.Tensor[],
    attrs: object,
  ): void;
}

/** A tensor saved for a gradient, and where on the tape tfjs would have noted that it was copied. */
interface Copied {
  at: number;
  x: Tf.Tensor;
  copy: Tf.Tensor;
}

/** Replaces four methods of the engine; wherever a case is not the usual one, tfjs's own take over. */
export function takeShortWays(tf: typeof Tf, backendName: string): void {
  const engine = tf.engine() as unknown as Engine;
  const whole = {
    runKernel: engine.runKernel.bind(engine),
    clone: engine.clone.bind(engine),
    endScope: engine.endScope.bind(engine),
    startTape: engine.startTape.bind(engine),
  };
  const copied: Copied[] = [];

  const tensorOf = (info: Tf.TensorInfo | Tf.Tensor): Tf.Tensor =>
    (info as Tf.Tensor).rank === undefined ? engine.makeTensorFromTensorInfo(info) : (info as Tf.Tensor);

  /** Where no gradient is asked for, in a gradient's own arithmetic too, nothing has to be noted beside the kernel's outputs. */
  engine.runKernel = (name, inputs, attrs) => {
    // Not kept from call to call: a reset of the engine gives it another.
    const { state } = engine;
    const noted = state.gradientDepth > 0 && state.kernelDepth === 0;
    if (noted || state.profiling || engine.backendName !== backendName) return whole.runKernel(name, inputs, attrs);
    const kernel = engine.ENV.getBool('DEBUG') ? undefined : tf.getKernel(name, backendName);
    if (!kernel) return whole.runKernel(name, inputs, attrs);
    state.kernelDepth++;
    try {
      const out = kernel.kernelFunc({ inputs, attrs: attrs as Tf.NamedAttrMap, backend: engine.backend });
      return Array.isArray(out) ? out.map(tensorOf) : tensorOf(out);
    } finally {
      state.kernelDepth--;
    }
  };

  /**
   * What is saved for a gradient is another tensor on the same data. tfjs also puts the copying on the tape, which only the
   * gradient of a gradient reads: it is put there when one begins.
   */
  engine.clone = (x) => {
    const { backend, state } = engine;
    if (state.gradientDepth !== 1 || !isServed(x.dtype) || state.tensorInfo.get(x.dataId)?.backend !== backend) {
      return whole.clone(x);
    }
    backend.incRef(x.dataId);
    const copy = engine.makeTensorFromTensorInfo({ dataId: x.dataId, shape: x.shape, dtype: x.dtype });
    copied.push({ at: state.activeTape.length, x, copy });
    return copy;
  };

  /** Puts on the tape, each in its place, what was copied so far: an inner gradient may go through all that came before it. */
  const noteCopied = (state: Engine['state']): void => {
    const tape = state.activeTape;
    state.activeTape = [];
    let noted = 0;
    for (const { at, x, copy } of copied) {
      state.activeTape.push(...tape.slice(noted, at));
      noted = at;
      engine.addTapeNode('Identity', { x }, [copy], (dy) => ({ x: () => tf.cast(dy, 'float32') }), [], {});
    }
    state.activeTape.push(...tape.slice(noted));
    copied.length = 0;
  };

  engine.startTape = () => {
    const { state } = engine;
    if (state.gradientDepth === 0) copied.length = 0;
    else if (state.gradientDepth === 1) noteCopied(state);
    whole.startTape();
  };

  /** An operation's scope ends with one tensor: no sets of ids are needed to tell what stays. */
  engine.endScope = (result) => {
    if (!(result instanceof tf.Tensor)) return whole.endScope(result);
    const { state } = engine;
    const { id, track } = state.activeScope;
    for (const tensor of track) if (!tensor.kept && tensor.id !== result.id) tensor.dispose();
    state.scopeStack.pop();
    state.activeScope =
      state.scopeStack[state.scopeStack.length - 1] ?? (null as unknown as Engine['state']['activeScope']);
    if (!result.kept && (result as unknown as { scopeId: number }).scopeId === id) engine.track(result);
  };
}
