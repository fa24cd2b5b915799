/** @file Adam and AdamW over named variables: global-norm clipping, unit rows, a state that resumes exactly. */
import { adamSteps } from './adam-update.ts';
import { leavingUnmade } from './kernels/unmade.ts';
import { type NamedTensors, type Tensor, tf, type Variable } from './tf.ts';

/** Options of `createAdam`. The defaults are PyTorch's. */
export interface AdamOptions {
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Added to the root of the bias-corrected second moment. Default 1e-8. */
  epsilon?: number;
  /** Decoupled weight decay (AdamW): each step first shrinks a parameter by `lr · weightDecay`. Default 0. */
  weightDecay?: number;
  /** Names of parameters that weight decay spares. */
  noDecay?: readonly string[];
  /** Scales all gradients together so that their joint L2 norm is at most this, above 0. Default: no clipping. */
  clipNorm?: number;
  /**
   * Names of parameters [rows, width] whose rows stay on the unit sphere: the gradient loses its component along each row
   * before it is clipped, and after the step the rows are scaled to unit length. They must have it at the start.
   */
  unitRows?: readonly string[];
}

/** An optimiser bound to its variables. */
export interface Adam {
  /**
   * Runs what computes the gradients of the next step. They may be left for the step to make on its way, which spares their
   * memory, where it needs none of them as a whole: without clipping.
   */
  gradients<T>(compute: () => T): T;
  /**
   * One step. `grads` holds a gradient for each parameter to be moved (a parameter without one stays as it is, its
   * moments too); it is not disposed of. `lr` is the learning rate of this step. Throws when a name or a shape does not fit.
   */
  step(grads: NamedTensors, lr: number): void;
  /** Sets moments back to 0 where `masks`, by parameter and broadcast to its shape, are 1; where they are 0 all stays. */
  forget(masks: NamedTensors): void;
  /** Copies of the moments (`m/<name>`, `v/<name>`) and `step` (int32 scalar): all that a resume needs. Caller disposes. */
  state(): NamedTensors;
  /** Takes over a state given by `state()`; copies what it needs. Throws when a name or a shape does not fit. */
  restore(state: NamedTensors): void;
  /** Frees the moments; the variables belong to the caller. */
  dispose(): void;
}

/**
 * Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019), in PyTorch's order of operations:
 * p -= lr·wd·p; m, v updated; p -= lr · (m / (1-β1^t)) / (sqrt(v / (1-β2^t)) + ε). Rows without a gradient are not
 * left out: their moments decay and move them at every step, as the formula says.
 */
export function createAdam(params: Record<string, Variable>, options: AdamOptions = {}): Adam {
  const {
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    weightDecay = 0,
    noDecay = [],
    unitRows = [],
    clipNorm,
  } = options;
  const names = Object.keys(params).sort();
  const zeros = (name: string) => tf.keep(tf.zerosLike(params[name]! as Tensor));
  const moments = new Map(names.map((name) => [name, { m: zeros(name), v: zeros(name) }]));
  let steps = 0;

  function replace(name: string, m: Tensor, v: Tensor): void {
    const old = moments.get(name)!;
    moments.set(name, { m: tf.keep(m), v: tf.keep(v) });
    tf.dispose([old.m, old.v]);
  }

  return {
    gradients: (compute) => (clipNorm === undefined ? leavingUnmade(compute) : compute()),
    step(grads, lr) {
      const unknown = Object.keys(grads).find((name) => !moments.has(name));
      if (unknown !== undefined) throw new Error(`adam: gradient for unknown parameter '${unknown}'`);
      const moved = names.filter((name) => grads[name]);
      for (const name of moved) {
        const [found, expected] = [grads[name]!.shape, params[name]!.shape];
        if (found.join() === expected.join()) continue;
        throw new Error(`adam: the gradient of '${name}' has shape [${found}], expected [${expected}]`);
      }
      if (moved.length === 0) return;
      steps++;
      const parts = moved.map((name) => ({
        param: params[name]! as Tensor,
        grad: grads[name]!,
        ...moments.get(name)!,
        decay: noDecay.includes(name) ? 0 : weightDecay,
        unitRows: unitRows.includes(name),
      }));
      adamSteps(parts, { lr, beta1, beta2, epsilon, step: steps, clipNorm: clipNorm ?? 0 }, (i, next) => {
        params[moved[i]!]!.assign(next.param);
        replace(moved[i]!, next.m, next.v);
      });
    },
    forget(masks) {
      for (const [name, mask] of Object.entries(masks)) {
        const moment = moments.get(name);
        if (!moment) throw new Error(`adam: unknown parameter '${name}'`);
        const [m, v] = tf.tidy(() => {
          const kept = tf.sub(1, mask);
          return [tf.mul(moment.m, kept), tf.mul(moment.v, kept)];
        }) as [Tensor, Tensor];
        replace(name, m, v);
      }
    },
    state() {
      const state: NamedTensors = { step: tf.scalar(steps, 'int32') };
      for (const [name, { m, v }] of moments) {
        state[`m/${name}`] = tf.clone(m);
        state[`v/${name}`] = tf.clone(v);
      }
      return state;
    },
    restore(state) {
      const part = (key: string, shape: number[]) => {
        const tensor = state[key];
        if (!tensor) throw new Error(`adam: the saved state lacks '${key}'`);
        if (tensor.shape.join() !== shape.join()) {
          throw new Error(`adam: '${key}' has shape [${tensor.shape}], expected [${shape}]`);
        }
        return tensor;
      };
      const parts = names.map((name) => {
        const { shape } = params[name]!;
        return [name, part(`m/${name}`, shape), part(`v/${name}`, shape)] as const;
      });
      steps = part('step', []).dataSync()[0]!;
      for (const [name, m, v] of parts) replace(name, tf.clone(m), tf.clone(v));
    },
    dispose() {
      for (const { m, v } of moments.values()) tf.dispose([m, v]);
      moments.clear();
    },
  };
}
