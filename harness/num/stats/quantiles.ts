/** @file Quantiles by linear interpolation (type 7 of Hyndman & Fan 1996: the default of R and numpy). */

/** The quantiles at each `p` in [0, 1]; null for all when there are no values. Values must not be NaN. */
export function quantiles(values: ArrayLike<number>, ps: readonly number[]): (number | null)[] {
  const sorted = Float64Array.from(values).sort();
  return ps.map((p) => (sorted.length === 0 ? null : sortedQuantile(sorted, p)));
}

/** One quantile; null when there are no values. */
export function quantile(values: ArrayLike<number>, p: number): number | null {
  return quantiles(values, [p])[0]!;
}

/** The quantile of values that are sorted ascending and not empty. */
export function sortedQuantile(sorted: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`quantile: p must be in [0, 1], got ${p}`);
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (position - below) * (high - low);
}
