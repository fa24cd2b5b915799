/** @file The positive pre-activations of a linear encoder as sparse codes, where they are few. */
import { type Tensor2D, tf } from '../tf.ts';
import { type LinearEncoder, topkEncode } from './topk-encode.ts';
import type { TopkCodes } from './topk-sparse.ts';

/** More columns than d_sae over this are dense work in disguise. */
const SPARSE = 32;

/** The largest number of entries above 0 in a row; rows descend. */
function widest(values: Tensor2D): number {
  const [n, width] = values.shape;
  const numbers = values.dataSync();
  let most = 0;
  for (let i = 0; i < n; i++) while (most < width && numbers[i * width + most]! > 0) most++;
  return most;
}

/**
 * The entries of ReLU((x − centre) · W_enc + bias) that are above 0, without the other ones and their gradients: those of
 * TopK with a k that no row exhausts. In each row they descend and are followed by zeros.
 *
 * @param expected about how many a row may have; a wrong guess costs time, not correctness
 * @returns undefined where some row has more than d_sae / 32: dense operations serve better then
 */
export function positiveEncode(x: Tensor2D, encoder: LinearEncoder, expected: number): TopkCodes | undefined {
  const limit = Math.floor(encoder.W_enc.shape[1] / SPARSE);
  for (let width = Math.max(1, Math.ceil(1.5 * expected) + 8); ; width = 2 * width) {
    if (Math.min(width, limit) < 1 || expected >= limit) return undefined;
    const k = Math.min(width, limit);
    const { indices, values } = topkEncode(x, encoder, k);
    const most = widest(values);
    if (most === k) {
      if (k === limit) return undefined;
      continue;
    }
    const cut = (t: Tensor2D) => tf.slice(t, [0, 0], [x.shape[0], Math.max(1, most)]);
    return { indices: cut(indices), values: cut(values) };
  }
}
