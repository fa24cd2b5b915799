/** @file What is added to a linear layer's output, as strongly for each row of a batch as that row's strength says. */
import { type Tensor2D, tf } from '../../../harness/contract.ts';

/** y [n · length, out] times scale · the strength of each of the n rows. */
export function scaledRows(y: Tensor2D, strengths: readonly number[], scale = 1): Tensor2D {
  const n = strengths.length;
  const factors = tf.tensor2d(
    Float32Array.from(strengths, (strength) => scale * strength),
    [n, 1],
  );
  return tf.reshape(tf.mul(tf.reshape(y, [n, y.size / n]), factors), y.shape);
}
