/** @file The squared length of summed activations, over all clusters of documents and over resamples of them. */
import { type Rng, rngFromState } from '../rng.ts';
import { columnSums, resampledSums } from '../stats/bootstrap.ts';

/** ‖vector‖². */
export function squaredLength(vector: Float64Array): number {
  let squared = 0;
  for (let c = 0; c < vector.length; c++) squared += vector[c]! ** 2;
  return squared;
}

/** ‖Σx‖² over all clusters and over each resample of them. */
export interface SquaredSums {
  all: number;
  resamples: Float64Array;
}

/**
 * The last of them, with what they were made from: they depend on the activations alone and are most of what an interval
 * costs, and one method after the other is measured on the same activations.
 */
const squaredSums: { vectors: Float64Array; draws: string; sums: SquaredSums }[] = [];
const KEPT = 4;

/** Of `vectors` [clusters, d_in], on the resamples that `rng` would draw next; `rng` stays where it is. */
export function squaredSumsOf(vectors: Float64Array, d_in: number, rng: Rng, resamples: number): SquaredSums {
  const draws = JSON.stringify([rng.state(), d_in, resamples]);
  const known = squaredSums.find((entry) => {
    if (entry.draws !== draws || entry.vectors.length !== vectors.length) return false;
    for (let at = 0; at < vectors.length; at++) if (entry.vectors[at] !== vectors[at]) return false;
    return true;
  });
  if (known) return known.sums;
  const totals = resampledSums(vectors, d_in, rngFromState(rng.state()), resamples);
  const sums = {
    all: squaredLength(columnSums(vectors, d_in)),
    resamples: Float64Array.from({ length: resamples }, (_, r) =>
      squaredLength(totals.subarray(r * d_in, (r + 1) * d_in)),
    ),
  };
  squaredSums.unshift({ vectors, draws, sums });
  squaredSums.length = Math.min(squaredSums.length, KEPT);
  return sums;
}
