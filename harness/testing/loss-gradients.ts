/** @file Gradients of a variant's loss against central differences of the loss itself. */
import type { SaeBatch, SaeDefinition, TrainState } from '../contract.ts';
import { allclose } from '../num/allclose.ts';
import { createRng } from '../num/rng.ts';
import { type NamedTensors, tf } from '../num/tf.ts';

/** Values of tensors by name, row by row, with their shapes. */
export type NamedValues = Record<string, { shape: number[]; values: number[] }>;

/** A step in the midst of a run, without dead latents; the caller disposes of its tensors. */
export function stepState(d_sae: number, buffers: NamedTensors, changes: Partial<TrainState> = {}): TrainState {
  return {
    ...{ step: 50, steps: 100, tokens: 0, deadCount: 0, scalars: {}, rng: createRng(0), dead: tf.zeros([d_sae]) },
    buffers: { variance: tf.scalar(2), ...buffers },
    ...changes,
  } as TrainState;
}

/** Random values of the given shapes, the same for the same seed. */
export function randomValues(shapes: Record<string, number[]>, seed: string): NamedValues {
  const rng = createRng(seed);
  const draw = (shape: number[]) => [...rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)))];
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, values: draw(shape) }]));
}

export const asTensors = (named: NamedValues): NamedTensors =>
  Object.fromEntries(Object.entries(named).map(([name, { shape, values }]) => [name, tf.tensor(values, shape)]));

/**
 * Compares for each parameter. What the loss chooses (the largest codes) must not change within the step of the differences.
 *
 * @param batch `x`, and where they are not `x` and absent `target` and `previous`.
 */
export function checkLossGradients<H>(
  definition: SaeDefinition<H>,
  hp: H,
  params: NamedValues,
  batch: NamedValues,
  buffers: NamedValues,
): void {
  const d_sae = params['W_dec']?.shape[0] ?? params['W_enc']!.shape[1]!;
  const lossAt = (named: NamedTensors) => {
    const { x, target = x, previous } = asTensors(batch);
    const rows = { x, target, ...(previous && { previous }) } as SaeBatch;
    return definition.loss(named, rows, stepState(d_sae, asTensors(buffers)), hp).total;
  };
  const step = 1e-3;
  for (const [name, { shape, values }] of Object.entries(params)) {
    const gradient = tf.tidy(() => {
      const fixed = asTensors(params);
      return tf
        .grad((param) => lossAt({ ...fixed, [name]: param }))(fixed[name]!)
        .dataSync();
    });
    const difference = values.map((value, i) => {
      const moved = (by: number) =>
        tf.tidy(
          () => lossAt(asTensors({ ...params, [name]: { shape, values: values.with(i, value + by) } })).dataSync()[0]!,
        );
      return (moved(step) - moved(-step)) / (2 * step);
    });
    allclose(gradient, difference, { rtol: 2e-2, atol: 4e-3 }, `${definition.id} ${name}`);
  }
}
