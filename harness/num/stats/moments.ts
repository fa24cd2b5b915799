/** @file Mean and variance of a stream, mergeable across streams (Welford 1962; Chan, Golub & LeVeque 1979). */

/** Running moments. A fresh one is `{ n: 0, mean: 0, m2: 0 }`. */
export interface Moments {
  n: number;
  mean: number;
  /** Sum of squared deviations from the mean. */
  m2: number;
}

/** Moments of no values. */
export function emptyMoments(): Moments {
  return { n: 0, mean: 0, m2: 0 };
}

/** Adds one value, in place. */
export function addValue(moments: Moments, value: number): void {
  moments.n++;
  const delta = value - moments.mean;
  moments.mean += delta / moments.n;
  moments.m2 += delta * (value - moments.mean);
}

/** The moments of both streams together. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const n = a.n + b.n;
  if (n === 0) return emptyMoments();
  const delta = b.mean - a.mean;
  return { n, mean: a.mean + (delta * b.n) / n, m2: a.m2 + b.m2 + (delta * delta * a.n * b.n) / n };
}

/** Moments of a list. */
export function momentsOf(values: ArrayLike<number>): Moments {
  const moments = emptyMoments();
  for (let i = 0; i < values.length; i++) addValue(moments, values[i]!);
  return moments;
}

/** Unbiased variance (divisor n - 1); null below two values. */
export function variance(moments: Moments): number | null {
  return moments.n < 2 ? null : moments.m2 / (moments.n - 1);
}

/** Arithmetic mean; null of nothing. */
export function mean(values: ArrayLike<number>): number | null {
  return values.length === 0 ? null : momentsOf(values).mean;
}

/** Sample standard deviation (divisor n - 1); null below two values. */
export function standardDeviation(values: ArrayLike<number>): number | null {
  const v = variance(momentsOf(values));
  return v === null ? null : Math.sqrt(v);
}
