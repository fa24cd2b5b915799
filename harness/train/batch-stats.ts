/** @file What the trainer reads off one batch: sparsity, which latents fired, residual and variance. */
import type { Codes } from '../contract.ts';
import { type Tensor2D, tf } from '../num/tf.ts';

/** Sparsity of one batch of codes. */
export interface Firing {
  /** Mean number of non-zero latents an input. */
  l0: number;
  /** [d_sae], non-zero where the latent is non-zero for at least one input. */
  fired: Uint8Array;
}

/** Counts non-zeros; k-sparse codes are read as they are and never made dense. */
export function firing(codes: Codes): Firing {
  if (codes.kind === 'topk') {
    const fired = new Uint8Array(codes.d_sae);
    const indices = codes.indices.dataSync();
    const values = codes.values.dataSync();
    let active = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      active++;
      fired[indices[i]!] = 1;
    }
    return { l0: active / codes.values.shape[0], fired };
  }
  const [n, d_sae] = codes.values.shape;
  const values = codes.values.dataSync();
  const fired = new Uint8Array(d_sae);
  let active = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    active++;
    fired[i % d_sae] = 1;
  }
  return { l0: active / n, fired };
}

/** Σ‖y − ŷ‖² and Σ‖y − ȳ‖² over the batch, ȳ its mean. */
export function squaredErrors(target: Tensor2D, reconstruction: Tensor2D): { residual: number; variance: number } {
  const sums = tf.tidy(() => {
    const residual = tf.sum(tf.square(tf.sub(target, reconstruction)));
    const variance = tf.sum(tf.square(tf.sub(target, tf.mean(target, 0, true))));
    return tf.stack([residual, variance]);
  });
  const [residual, variance] = sums.dataSync() as Float32Array;
  sums.dispose();
  return { residual: residual!, variance: variance! };
}
