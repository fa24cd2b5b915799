/** @file The loss that pairs of images and texts are trained with. */
import { type Scalar, type Tensor, type Tensor2D, tf } from '../../harness/contract.ts';
import { rowLogSumExp } from '../../harness/kit/index.ts';

/** Rows divided by their Euclidean norm. */
export function unitRows(x: Tensor2D): Tensor2D {
  return tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-12)));
}

/**
 * The symmetric cross-entropy over a batch of pairs (Radford et al. 2021, figure 3) from raw embeddings [n, dim], whose
 * row i belong together. `logitScale` is the logarithm of the factor on cosines, as the weights hold it.
 */
export function contrastiveLoss(images: Tensor2D, texts: Tensor2D, logitScale: Tensor): Scalar {
  return tf.tidy(() => {
    const [image, text] = [unitRows(images), unitRows(texts)];
    const scale = tf.exp(logitScale);
    const logits = tf.mul<Tensor2D>(tf.matMul(image, text, false, true), scale);
    const matching = tf.mul(tf.sum(tf.mul(image, text), 1), scale);
    const both = tf.add(rowLogSumExp(logits), rowLogSumExp(tf.transpose(logits)));
    return tf.mean(tf.sub(tf.mul(both, 0.5), matching)) as Scalar;
  });
}
