/** @file The sample of activations that a run starts from, and the one scalar that normalises its inputs. */
import { keptRows } from '../activations/activation-set.ts';
import { readRows } from '../activations/read-rows.ts';
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';
import { createRng } from '../num/rng.ts';

/** Rows that start values and the input scale are computed from. */
export const SAMPLE_ROWS = 8192;

/** Some kept rows. */
export interface Sample {
  n: number;
  /** Row-major [n, d]. */
  x: Float32Array;
  /** Row numbers in the set, ascending. */
  rows: Uint32Array;
}

/**
 * A random sample of at most `most` kept rows, the same for the same seed.
 *
 * @throws UserError when the set keeps no row.
 */
export async function sampleRows(set: ActivationSet, seed: number, most = SAMPLE_ROWS): Promise<Sample> {
  const kept = keptRows(set);
  if (kept === 0) {
    throw new UserError(`activations: no row is kept under the policy '${set.policy}': nothing to train on.`);
  }
  const n = Math.min(most, kept);
  const chosen = createRng(seed).fork('sae sample').sample(kept, n).sort();
  const rows = new Uint32Array(n);
  for (let row = 0, nth = 0, at = 0; at < n; row++) {
    if (!set.keep[row]) continue;
    if (nth++ === chosen[at]) rows[at++] = row;
  }
  return { n, rows, x: await readRows(set, rows, new Float32Array(n * set.d_in)) };
}

/**
 * The constant s with E‖s·x‖ = √d over the sample (SAELens's `expected_average_only_in`).
 *
 * @throws UserError when the activations are all zero or not finite.
 */
export function meanNormScale(sample: Sample, d: number): number {
  let total = 0;
  for (let row = 0; row < sample.n; row++) {
    let square = 0;
    for (let j = 0; j < d; j++) square += sample.x[row * d + j]! ** 2;
    total += Math.sqrt(square);
  }
  const mean = total / sample.n;
  if (!(mean > 0 && mean < Infinity)) {
    throw new UserError(`activations: mean norm of ${sample.n} rows: expected a positive number, found ${mean}.`);
  }
  return Math.sqrt(d) / mean;
}
