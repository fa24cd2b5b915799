/** @file The scale of the reconstruction loss. */
import { type Scalar, type Tensor2D, tf } from '../../../harness/contract.ts';

/** Mean over rows and dimensions of (x − mean over rows)²: what predicting the mean costs per dimension. */
export function sampleVariance(sample: Tensor2D): Scalar {
  const variance = tf.mean(tf.square(tf.sub(sample, tf.mean(sample, 0, true))));
  // A sample of one row has none; the loss then stays unscaled.
  return tf.where(tf.greater(variance, 0), variance, 1) as Scalar;
}
