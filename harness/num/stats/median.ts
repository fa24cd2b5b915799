/** @file Medians of measured times, which have outliers: with an interval that assumes no distribution. */
import type { Estimate } from './interval.ts';

/** Half the width of the interval of a normal count, in its deviations. */
const Z95 = 1.96;

/**
 * The median of independent values with its 95 % interval between order statistics, whose ranks are those of a binomial
 * count at ½ (normal approximation); null of nothing, `ci` null of fewer than 6 values, which no two of them enclose at 95 %.
 */
export function medianInterval(values: ArrayLike<number>): Estimate | null {
  const n = values.length;
  if (n === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const value = (sorted[Math.floor((n - 1) / 2)]! + sorted[Math.floor(n / 2)]!) / 2;
  if (n < 6) return { value, ci: null, n };
  const below = Math.max(1, Math.floor((n - Z95 * Math.sqrt(n)) / 2));
  return { value, ci: [sorted[below - 1]!, sorted[n - below]!], n };
}
