/** @file The threshold that all latents of a JumpReLU SAE start with. */
import { type Tensor2D, tf } from '../../../harness/contract.ts';
import { quantileOfMany } from '../../../harness/kit/index.ts';

/** Pre-activations that the quantile is taken over. */
const VALUES = 2 ** 20;
/** Active latents at the start over those aimed at: training lowers L0, and what starts silent would never learn. */
const SURPLUS = 6;
/** Without a target: active latents at the start, as a part of all. */
const UNTARGETED = 0.25;
/** Dictionaries narrower than the target's surplus start with this part of their latents active. */
const MOST = 0.5;

/** The quantile of the first pre-activations at which `SURPLUS` times the target's latents are active; above 0. */
export function startThreshold(sample: Tensor2D, W_enc: Tensor2D, targetL0: number | null): number {
  const d_sae = W_enc.shape[1];
  const part = Math.min(MOST, targetL0 === null ? UNTARGETED : (SURPLUS * targetL0) / d_sae);
  const pre = tf.tidy(() => {
    const rows = tf.slice(sample, [0, 0], [Math.min(Math.ceil(VALUES / d_sae), sample.shape[0]), sample.shape[1]]);
    return tf.matMul(rows, W_enc);
  });
  // Read outside of the scope, which would look for tensors in every element of an array that leaves it.
  const threshold = quantileOfMany(pre.dataSync() as Float32Array, 1 - part);
  pre.dispose();
  return Math.max(1e-3, threshold);
}
