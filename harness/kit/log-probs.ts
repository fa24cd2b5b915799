/** @file Next-token distributions of language models, as log-probabilities, and how far two of them are apart. */
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from '../num/tf.ts';

/** Log-probabilities [positions, vocab] of logits [n, length, vocab]. */
export function logProbs(logits: Tensor3D): Tensor2D {
  const [n, length, vocab] = logits.shape;
  return tf.logSoftmax(tf.reshape(logits, [n * length, vocab])) as Tensor2D;
}

/** KL(p ‖ q) of each row, in nats, from log-probabilities [rows, vocab]. Call inside `tf.tidy`. */
export function divergences(logp: Tensor2D, logq: Tensor2D): Tensor1D {
  return tf.sum(tf.mul(tf.exp(logp), tf.sub(logp, logq)), 1) as Tensor1D;
}
