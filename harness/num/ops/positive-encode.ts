/** @file The positive pre-activations of a linear encoder as sparse codes, where they are few. */
import { hasKernel, runKernels } from '../kernels/own.ts';
import { roundsFactors } from '../precision.ts';
import { type Tensor2D, tf } from '../tf.ts';
import { encodeEntries, type LinearEncoder, topkEncode } from './topk-encode.ts';
import type { TopkCodes } from './topk-sparse.ts';

/** Backends without a kernel for it: more columns than d_sae over this are dense work in disguise. */
const SPARSE = 32;
/** With one: an active entry costs some four times as much as one of a dense product, and bookkeeping; of one in bfloat16 four times that. */
const share = () => (roundsFactors() ? 32 : 8);

const FUSED = 'SaxEncodeAbove';

/** The largest number of entries above 0 in a row; rows descend. */
function widest(values: Tensor2D): number {
  const [n, width] = values.shape;
  const numbers = values.dataSync();
  let most = 0;
  for (let i = 0; i < n; i++) while (most < width && numbers[i * width + most]! > 0) most++;
  return most;
}

/** By TopK with a k that no row exhausts. */
function byRows(x: Tensor2D, encoder: LinearEncoder, expected: number): TopkCodes | undefined {
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

/** In one go, unless there are too many. */
function allAbove(x: Tensor2D, encoder: LinearEncoder): TopkCodes | undefined {
  const [n, limit] = [x.shape[0], Math.floor((x.shape[0] * encoder.W_enc.shape[1]) / share())];
  const codes = encodeEntries(x, encoder, (input, W_enc, bias) => {
    const [values, indices] = runKernels(FUSED, { x: input, W_enc, bias }, { limit }) as [Tensor2D, Tensor2D];
    return { values, indices };
  });
  return n > 0 && codes.values.shape[1] === 0 ? undefined : codes;
}

/**
 * The entries of ReLU((x − centre) · W_enc + bias) that are above 0, without the other ones and their gradients. In a row they
 * are followed by zeros; their order is the backend's.
 *
 * @param expected about how many a row may have; a wrong guess costs time, not correctness
 * @returns undefined where there are so many that dense operations serve better: on the native backend more than d_sae / 8 in
 * the mean of the rows (in training in precision bf16 d_sae / 32), on others more than d_sae / 32 in some row
 */
export function positiveEncode(x: Tensor2D, encoder: LinearEncoder, expected: number): TopkCodes | undefined {
  return hasKernel(FUSED) ? allAbove(x, encoder) : byRows(x, encoder, expected);
}
