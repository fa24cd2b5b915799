/** @file The Mann-Whitney U test of whether one sample tends to lie above another. */
import { averageRanks } from './ranks.ts';

/** Result of the test. */
export interface MannWhitney {
  /** Number of pairs (a, b) with a > b, ties counting one half. */
  u: number;
  /** u / (n_a · n_b): the probability that a lies above b, in [0, 1]. */
  probabilityAbove: number;
  /** Two-sided p by the normal approximation, with tie and continuity correction. 1 where all values are equal. */
  p: number;
}

/** Complementary error function, relative error below 1.2e-7 (Numerical Recipes' Chebyshev fit). */
function erfc(x: number): number {
  const z = Math.abs(x);
  const t = 1 / (1 + 0.5 * z);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  const polynomial = coefficients.reduceRight((sum, c) => sum * t + c, 0);
  const value = t * Math.exp(-z * z + polynomial);
  return x >= 0 ? value : 2 - value;
}

/** Compares sample `a` with sample `b`; null when either is empty. */
export function mannWhitney(a: ArrayLike<number>, b: ArrayLike<number>): MannWhitney | null {
  const [na, nb] = [a.length, b.length];
  if (na === 0 || nb === 0) return null;
  const n = na + nb;
  const all = new Float64Array(n);
  all.set(Float64Array.from(a));
  all.set(Float64Array.from(b), na);
  const ranks = averageRanks(all);
  let rankSum = 0;
  for (let i = 0; i < na; i++) rankSum += ranks[i]!;
  const u = rankSum - (na * (na + 1)) / 2;
  const sorted = all.sort();
  let ties = 0;
  for (let start = 0; start < n; ) {
    let end = start + 1;
    while (end < n && sorted[end] === sorted[start]) end++;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  const deviation = Math.sqrt(((na * nb) / 12) * (n + 1 - ties / (n * (n - 1))));
  const z = deviation > 0 ? Math.max(0, Math.abs(u - (na * nb) / 2) - 0.5) / deviation : 0;
  return { u, probabilityAbove: u / (na * nb), p: Math.min(1, erfc(z / Math.SQRT2)) };
}
