/** @file The selection of BatchTopK: the largest entries of a whole batch. */
import { hasKernel, runKernels } from '../kernels/own.ts';
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { encodeEntries, type LinearEncoder, topkEncode } from './topk-encode.ts';
import type { TopkCodes } from './topk-sparse.ts';

const FUSED = 'SaxEncodeBatchTopK';

/**
 * A float32 0/1 mask [n, d_sae] of the `floor(k · n)` largest entries of the whole batch, so that rows share a budget
 * of k active latents on average (Bussmann et al. 2412.06410). `k` may be fractional. Equal entries: lowest row, then
 * lowest latent first.
 */
export function batchTopkMask(activations: Tensor2D, k: number): Tensor2D {
  const [n, d_sae] = activations.shape;
  if (!(k > 0 && k <= d_sae)) throw new RangeError(`batchTopk: k must be in (0, d_sae = ${d_sae}], got ${k}`);
  const count = Math.floor(k * n);
  if (count === 0) return tf.zeros([n, d_sae]);
  return tf.tidy(() => {
    const { indices } = tf.topk(tf.reshape(activations, [n * d_sae]), count, true);
    const hits = tf.unsortedSegmentSum(tf.ones([count]), indices as Tensor1D, n * d_sae);
    return tf.reshape(hits, [n, d_sae]);
  });
}

/** `activations` where `batchTopkMask` selects them, 0 elsewhere; the gradient passes to the selected entries only. */
export function batchTopk(activations: Tensor2D, k: number): Tensor2D {
  return customOp<Tensor2D>(
    [activations],
    (save, x) => {
      const mask = batchTopkMask(x as Tensor2D, k);
      save([mask]);
      return tf.mul(x!, mask);
    },
    (dy, [mask]) => [tf.mul(dy, mask!)],
  );
}

/**
 * How many of each row's entries, which descend, are above 0 after `batchTopk`; undefined where a row's last entry might be
 * followed by others that belong to the selection too.
 */
function selectedWidth(all: Tensor2D, selected: Tensor2D): number | undefined {
  const [n, width] = all.shape;
  const [before, after] = [all.dataSync(), selected.dataSync()];
  let [widest, smallest] = [1, Infinity];
  for (let i = 0; i < n; i++) {
    let j = 0;
    while (j < width && after[i * width + j]! > 0) j++;
    widest = Math.max(widest, j);
    if (j > 0) smallest = Math.min(smallest, after[i * width + j - 1]!);
  }
  for (let i = 0; i < n; i++) {
    const last = before[(i + 1) * width - 1]!;
    // Among equal entries the row decides, so one that equals the smallest may hide others that come before it.
    if (last > 0 && last >= smallest) return undefined;
  }
  return widest;
}

/** The largest few of each row are found first, more of them where a row might hold more of the batch's largest. */
function byRows(x: Tensor2D, encoder: LinearEncoder, k: number): TopkCodes {
  const d_sae = encoder.W_enc.shape[1];
  for (let width = Math.min(d_sae, Math.ceil(2 * k) + 8); ; width = Math.min(d_sae, 2 * width)) {
    const found = topkEncode(x, encoder, width);
    const values = batchTopk(found.values, k);
    const needed = selectedWidth(found.values, values) ?? (width === d_sae ? d_sae : undefined);
    if (needed === undefined) continue;
    const cut = (t: Tensor2D) => tf.slice(t, [0, 0], [x.shape[0], needed]);
    return { values: cut(values), indices: cut(found.indices) };
  }
}

/**
 * The codes of {@link batchTopk} over ReLU((x − centre) · W_enc + bias) without the pre-activations [n, d_sae].
 *
 * @returns as many columns as the fullest row needs, at least 1; rows with fewer end in zeros. The order within a row is the
 * backend's.
 */
export function batchTopkEncode(x: Tensor2D, encoder: LinearEncoder, k: number): TopkCodes {
  const d_sae = encoder.W_enc.shape[1];
  if (!(k > 0 && k <= d_sae)) throw new RangeError(`batchTopk: k must be in (0, d_sae = ${d_sae}], got ${k}`);
  if (!hasKernel(FUSED)) return byRows(x, encoder, k);
  const count = Math.floor(k * x.shape[0]);
  return encodeEntries(x, encoder, (input, W_enc, bias) => {
    const [values, indices] = runKernels(FUSED, { x: input, W_enc, bias }, { count }) as [Tensor2D, Tensor2D];
    return { values, indices };
  });
}
