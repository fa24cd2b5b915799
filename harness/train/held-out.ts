/** @file How a dictionary in training does on rows that it is not trained on: variance explained and L0. */

import { readRows } from '../activations/read-rows.ts';
import type { ActivationSet, Codes, SaeDefinition, TrainingOptions, TrainState } from '../contract.ts';
import { disposeCodes } from '../kit/codes.ts';
import { sumOfSquares } from '../num/ops/squared-error.ts';
import { readTogether } from '../num/read-together.ts';
import { type NamedTensors, type Tensor2D, tf } from '../num/tf.ts';
import { firingRead } from './batch-stats.ts';
import { explainedVariance } from './curve.ts';
import { sampleRows } from './input.ts';
import { stepsOf } from './run-length.ts';

/** One look at the held-out rows. */
export interface HeldOutPoint {
  /** Steps done. */
  step: number;
  explained_variance: number;
  l0: number;
}

/** A look with the part of the latents that fired on none of the rows. */
export interface Look extends HeldOutPoint {
  silent: number;
}

/** Rows of each look during training, of the last one, and of the one at the rows that were trained on. */
const ROWS = { during: 512, end: 4096, trained: 16_384 };
/** Looks from the start to where the learning rate begins to fall: half way there and there are two of them. */
const LOOKS = 8;
const BATCH = 512;

/** The step at which the learning rate begins to fall. */
export function decayStart(training: TrainingOptions): number {
  const part = training.lrDecay === 'none' ? 0 : training.lrDecayFraction;
  return Math.round((1 - part) * stepsOf(training));
}

/** The numbers of steps after which to look, the last step excepted. */
export function lookSteps(training: TrainingOptions): Set<number> {
  const steps = stepsOf(training);
  const at = Array.from({ length: LOOKS }, (_, i) => Math.round(((i + 1) / LOOKS) * decayStart(training)));
  return new Set(at.filter((step) => step > 0 && step < steps));
}

/** What is looked at: the variant with its parameters in training, on rows multiplied by `scale`. */
interface Looked<H> {
  definition: SaeDefinition<H>;
  hp: H;
  params: NamedTensors;
  state: TrainState;
  scale: number;
}

/** Whether one look sees all rows: a latent that fires on none of them then is dead beyond doubt. */
export const seenWhole = (rows: number): boolean => rows <= ROWS.trained;

/**
 * Looks at a sample of `set`, the same one for the same seed.
 *
 * @param target Where another site is reconstructed, its rows of the same items.
 */
export function heldOutLooks(set: ActivationSet, seed: number, target?: ActivationSet) {
  const samples = new Map<number, Promise<{ n: number; x: Float32Array; y?: Float32Array }>>();
  const drawn = async (rows: number) => {
    const found = await sampleRows(set, seed, rows);
    if (!target) return found;
    return { ...found, y: await readRows(target, found.rows, new Float32Array(found.n * target.d_in)) };
  };
  const sample = (rows: number) => {
    if (!samples.has(rows)) samples.set(rows, drawn(rows));
    return samples.get(rows)!;
  };
  /** Encodes and decodes as after training: with the rule of inference. */
  return async <H>({ definition, hp, params, state, scale }: Looked<H>, when: keyof typeof ROWS) => {
    const { n, x, y } = await sample(ROWS[when]);
    const d = set.d_in;
    const fired = new Set<number>();
    let d_sae = 0;
    let point: Look | undefined;
    tf.tidy(() => {
      const inference = definition.toInference?.(params, state, hp) ?? params;
      const rows = tf.mul(tf.tensor2d(x, [n, d]), scale) as Tensor2D;
      const wanted = y ? (tf.mul(tf.tensor2d(y, [n, target!.d_in]), scale) as Tensor2D) : rows;
      const variance = tf.sum(tf.squaredDifference(wanted, tf.mean(wanted, 0, true))).dataSync()[0]!;
      let [residual, active] = [0, 0];
      for (let start = 0; start < n; start += BATCH) {
        const size = Math.min(BATCH, n - start);
        tf.tidy(() => {
          const batch = tf.slice(rows, [start, 0], [size, d]);
          const codes: Codes = definition.encode(inference, batch, hp);
          const decoded = definition.decode(inference, codes, hp);
          const skipped = definition.skip?.(inference, batch, hp);
          const reconstruction = skipped ? (tf.add(decoded, skipped) as Tensor2D) : decoded;
          const own = y ? tf.slice(wanted, [start, 0], [size, target!.d_in]) : batch;
          const { tensors, of } = firingRead(codes);
          const [errors, ...counts] = readTogether([sumOfSquares(own, reconstruction), ...tensors]);
          residual += errors![0]!;
          const found = of(counts);
          active += found.l0 * size;
          d_sae = found.fired.length;
          found.fired.forEach((flag, latent) => {
            if (flag) fired.add(latent);
          });
          disposeCodes(codes);
        });
      }
      const explained_variance = explainedVariance(residual, variance);
      point = { step: state.step, explained_variance, l0: active / n, silent: 1 - fired.size / d_sae };
    });
    return point!;
  };
}
