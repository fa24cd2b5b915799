/** @file The one-way F statistic of two classes: how far apart a candidate's class means lie. */
import type { Candidates, LabelledItems } from '../../harness/kit/index.ts';

/**
 * F = (m₁ − m₀)²·n₀n₁/n ÷ pooled variance, for class sizes, class sums and the sum of all squares: large where the class
 * means lie far apart on the scale of the spread within the classes. 0 for equal means; `Number.MAX_VALUE` where
 * the means differ and neither class varies.
 */
export function twoClassF(sizes: readonly [number, number], sum0: number, sum1: number, squares: number): number {
  const [n0, n1] = sizes;
  const mean0 = sum0 / n0;
  const mean1 = sum1 / n1;
  const between = ((mean1 - mean0) ** 2 * n0 * n1) / (n0 + n1);
  if (between === 0) return 0;
  const within = squares - n0 * mean0 ** 2 - n1 * mean1 ** 2;
  // The difference of squares carries rounding of this size: below it, the classes do not vary.
  if (within <= squares * 1e-12) return Number.MAX_VALUE;
  return between / (within / Math.max(n0 + n1 - 2, 1));
}

/** The statistic of each candidate on the given items. */
export function fStatistics(candidates: Candidates, { items, labels }: LabelledItems): Float64Array {
  const sums = [new Float64Array(candidates.count), new Float64Array(candidates.count)] as const;
  const squares = new Float64Array(candidates.count);
  const sizes: [number, number] = [0, 0];
  items.forEach((item, i) => {
    const label = labels[i] === 1 ? 1 : 0;
    sizes[label]++;
    candidates.forEach(item, (candidate, value) => {
      sums[label][candidate] = sums[label][candidate]! + value;
      squares[candidate] = squares[candidate]! + value * value;
    });
  });
  return squares.map((square, candidate) => twoClassF(sizes, sums[0][candidate]!, sums[1][candidate]!, square));
}
