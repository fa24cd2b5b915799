/** @file The k largest entries of each row, with a gradient to the entries that were kept. */
import { type Tensor2D, tf } from '../tf.ts';

/** k-sparse rows: position j of row i holds `values[i, j]` at column `indices[i, j]`. */
export interface TopkCodes {
  /** int32 [n, k]. */
  indices: Tensor2D;
  /** float32 [n, k], descending within a row. */
  values: Tensor2D;
}

/** @throws RangeError unless k is a whole number from 1 to d_sae. */
export function checkTopk(k: number, d_sae: number): void {
  if (Number.isInteger(k) && k >= 1 && k <= d_sae) return;
  throw new RangeError(`topk: k must be 1 to d_sae = ${d_sae}, got ${k}`);
}

/**
 * The `k` largest entries of each row of `pre` [n, d_sae], in descending order; equal entries: lowest index first. The
 * gradient of the values goes back to where they were in `pre`; the others get 0 (Gao et al. 2406.04093 §2.3).
 */
export function topkSparse(pre: Tensor2D, k: number): TopkCodes {
  checkTopk(k, pre.shape[1]);
  const { values, indices } = tf.topk(pre, k, true);
  return { values, indices };
}
