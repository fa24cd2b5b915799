/** @file The selection of BatchTopK: the largest entries of a whole batch. */
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

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
