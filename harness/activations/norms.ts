/** @file Norms of rows, and how few of them hold the variance. */
import type { ActivationSet } from '../contract/data.ts';

/** Euclidean norms of rows, summed in float64. */
export function rowNorms(x: Float32Array, d: number): Float64Array {
  const norms = new Float64Array(x.length / d);
  for (let row = 0; row < norms.length; row++) {
    let sum = 0;
    for (let i = row * d; i < (row + 1) * d; i++) sum += x[i]! * x[i]!;
    norms[row] = Math.sqrt(sum);
  }
  return norms;
}

/** The middle value, of an even number the mean of the two; NaN of none. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Rows that are looked at: the first kept ones. */
const ROWS = 8192;
/** Fewer rows have no hundredth. */
const LEAST_ROWS = 200;
const FEW = 0.01;
const MOST_VARIANCE = 0.5;

/**
 * What must be said where at most 1 % of the first kept rows hold over half of their variance: explained variance is then that
 * of a few rows, and means are theirs.
 *
 * @param mend What leaves such rows out.
 */
export async function fewRowsHoldVariance(
  set: ActivationSet,
  mend = '--positions maxNorm=10 leaves such rows out.',
): Promise<string | undefined> {
  const { bounds, keep, d_in } = set;
  const rows: number[] = [];
  let end = 0;
  for (let item = 0; item + 1 < bounds.length && rows.length < ROWS; item++) {
    end = bounds[item + 1]!;
    for (let row = bounds[item]!; row < end && rows.length < ROWS; row++) if (keep[row] === 1) rows.push(row);
  }
  if (rows.length < LEAST_ROWS) return undefined;
  const x = await set.read(0, end);
  const mean = new Float64Array(d_in);
  for (const row of rows) for (let i = 0; i < d_in; i++) mean[i]! += x[row * d_in + i]! / rows.length;
  const squares = Float64Array.from(rows, (row) => {
    let sum = 0;
    for (let i = 0; i < d_in; i++) sum += (x[row * d_in + i]! - mean[i]!) ** 2;
    return sum;
  }).sort();
  const total = squares.reduce((sum, value) => sum + value, 0);
  const few = Math.floor(FEW * rows.length);
  const held = squares.subarray(-few).reduce((sum, value) => sum + value, 0);
  if (!(held > MOST_VARIANCE * total)) return undefined;
  const share = ((100 * held) / total).toFixed(0);
  return (
    `${few} of ${rows.length.toLocaleString('en')} training rows (1 %) hold ${share} % of the variance: explained variance and ` +
    `means say little of the others; ${mend}`
  );
}
