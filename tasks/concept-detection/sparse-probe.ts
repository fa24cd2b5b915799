/** @file k-sparse probes: a logistic regression on the k latents that separate the training items best. */
import { type Candidates, denseFeatures, fitLogistic, type LabelledItems } from '../../harness/kit/index.ts';

/** Inverse strength of the L2 penalty on standardised features: scikit-learn's default, as SAEBench uses it. */
const C = 1;

export interface SparseProbe {
  candidates: number[];
  /** Weight of each candidate in units of its own value. */
  weights: Float64Array;
  score(items: Uint32Array): Float64Array;
}

/** The k candidates of largest statistic, at most one of each latent, best first; the lower one wins a tie. */
export function topCandidates(candidates: Candidates, statistic: Float64Array, k: number): number[] {
  const order = Array.from(statistic, (_, i) => i).sort((a, b) => statistic[b]! - statistic[a]! || a - b);
  const latents = new Set<number>();
  const chosen: number[] = [];
  for (const candidate of order) {
    if (chosen.length === k) break;
    const latent = candidates.latentOf(candidate);
    if (latents.has(latent)) continue;
    latents.add(latent);
    chosen.push(candidate);
  }
  return chosen;
}

/** Fits a probe on `chosen` candidates (Gurnee et al. 2023, arXiv:2305.01610). Constant features get the weight 0. */
export function fitSparseProbe(
  candidates: Candidates,
  chosen: number[],
  { items, labels }: LabelledItems,
): SparseProbe {
  const columns = chosen.map((candidate) => candidates.values(candidate, items));
  const scales = columns.map(meanAndDeviation);
  const x = new Float64Array(items.length * chosen.length);
  columns.forEach((column, j) => {
    const { mean, deviation } = scales[j]!;
    // Loops in this file: a call for every number costs more than the arithmetic.
    for (let i = 0, at = j; i < column.length; i++, at += chosen.length) {
      x[at] = deviation === 0 ? 0 : (column[i]! - mean) / deviation;
    }
  });
  const fit = fitLogistic(denseFeatures(x, items.length, chosen.length), labels, { C });
  const weights = fit.weights.map((weight, j) => (scales[j]!.deviation === 0 ? 0 : weight / scales[j]!.deviation));
  return {
    candidates: chosen,
    weights,
    score(scored) {
      const total = new Float64Array(scored.length);
      chosen.forEach((candidate, j) => {
        const values = candidates.values(candidate, scored);
        for (let i = 0; i < values.length; i++) total[i]! += weights[j]! * values[i]!;
      });
      return total;
    },
  };
}

function meanAndDeviation(column: Float64Array): { mean: number; deviation: number } {
  let sum = 0;
  for (let i = 0; i < column.length; i++) sum += column[i]!;
  const mean = sum / column.length;
  let squares = 0;
  for (let i = 0; i < column.length; i++) squares += (column[i]! - mean) ** 2;
  const variance = squares / column.length;
  // Rounding of a constant column is not spread.
  return { mean, deviation: Math.sqrt(variance) <= 1e-12 * Math.abs(mean) ? 0 : Math.sqrt(variance) };
}
