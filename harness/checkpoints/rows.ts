/** @file What some checkpoints do to each row by itself before encoding, and how it is undone. */
import { type Tensor2D, tf } from '../num/tf.ts';
import type { RowScaling } from './form.ts';

/** As PyTorch's users write it: added to the standard deviation, not to the variance. */
const EPSILON = 1e-5;

/** The mean [n, 1] of each row of x [n, d], x without it, and its standard deviation [n, 1] of d − 1, as `torch.std` has it. */
function moments(x: Tensor2D): { mean: Tensor2D; centred: Tensor2D; deviation: Tensor2D } {
  const mean = tf.mean(x, 1, true) as Tensor2D;
  const centred = tf.sub(x, mean) as Tensor2D;
  const variance = tf.div(tf.sum(tf.square(centred), 1, true), x.shape[1] - 1);
  return { mean, centred, deviation: tf.sqrt(variance) as Tensor2D };
}

/** What brings each row of x [n, d] to the length √d, [n, 1]; 0 for rows of zeros. */
const lengthScale = (x: Tensor2D) =>
  tf.divNoNan(tf.scalar(Math.sqrt(x.shape[1])), tf.norm(x, 'euclidean', 1, true)) as Tensor2D;

/** The rows x [n, d] as the encoder takes them. */
export function scaleRows(x: Tensor2D, scaling: RowScaling | undefined): Tensor2D {
  if (scaling === undefined) return x;
  if (scaling === 'constant_norm_rescale') return tf.mul(x, lengthScale(x)) as Tensor2D;
  const { centred, deviation } = moments(x);
  return tf.div(centred, tf.add(deviation, EPSILON)) as Tensor2D;
}

/** What the decoder gave [n, d] brought back to the size of the rows x [n, d]; as the original, without the epsilon. */
export function unscaleRows(decoded: Tensor2D, x: Tensor2D, scaling: RowScaling): Tensor2D {
  if (scaling === 'constant_norm_rescale') return tf.divNoNan(decoded, lengthScale(x)) as Tensor2D;
  const { mean, deviation } = moments(x);
  return tf.add(tf.mul(decoded, deviation), mean) as Tensor2D;
}
