/** @file Correlations: Pearson, Spearman and Kendall's tau-b. */
import { momentsOf } from './moments.ts';
import { averageRanks } from './ranks.ts';

function assertPaired(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length) throw new RangeError(`correlation: ${a.length} values against ${b.length}`);
}

/** Pearson's r; null where a side does not vary. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  assertPaired(a, b);
  const [ma, mb] = [momentsOf(a), momentsOf(b)];
  if (!(ma.m2 > 0 && mb.m2 > 0)) return null;
  let covariance = 0;
  for (let i = 0; i < a.length; i++) covariance += (a[i]! - ma.mean) * (b[i]! - mb.mean);
  return covariance / Math.sqrt(ma.m2 * mb.m2);
}

/** Spearman's rho: Pearson's r of the average ranks; null where a side does not vary. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  assertPaired(a, b);
  return pearson(averageRanks(a), averageRanks(b));
}

/** Kendall's tau-b (corrected for ties), over all pairs; null where a side does not vary. Quadratic in n. */
export function kendallTau(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  assertPaired(a, b);
  let [balance, untiedA, untiedB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const da = Math.sign(a[i]! - a[j]!);
      const db = Math.sign(b[i]! - b[j]!);
      balance += da * db;
      untiedA += Math.abs(da);
      untiedB += Math.abs(db);
    }
  }
  return untiedA > 0 && untiedB > 0 ? balance / Math.sqrt(untiedA * untiedB) : null;
}
