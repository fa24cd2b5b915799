/** @file Softmax cross-entropy against integer labels, without keeping a one-hot array or the probabilities. */
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { logSumExpValue } from './log-sum-exp.ts';

/** A bare number would turn the labels into float32. */
const int = (value: number) => tf.scalar(value, 'int32');

/**
 * Per-row loss -log softmax(logits)[label], in nats. Only the logits are kept for the gradient, which is computed from
 * them afresh: (softmax - onehot) · dy.
 *
 * @param logits [n, vocabulary]
 * @param labels int32 [n]; a negative label gives loss 0 and gradient 0 (padding)
 * @returns [n]
 */
export function sparseCrossEntropy(logits: Tensor2D, labels: Tensor1D): Tensor1D {
  return customOp<Tensor1D>(
    [logits],
    (save, input) => {
      const x = input as Tensor2D;
      const [n, vocabulary] = x.shape;
      const counted = tf.cast(tf.greaterEqual(labels, int(0)), 'float32');
      save([x, labels, counted]);
      const offsets = tf.mul(tf.range(0, n, 1, 'int32'), int(vocabulary));
      const positions = tf.add(offsets, tf.maximum(labels, int(0))) as Tensor1D;
      const target = tf.gather(tf.reshape(x, [n * vocabulary]), positions);
      return tf.mul(tf.sub(logSumExpValue(x), target), counted);
    },
    (dy, [x, ids, counted]) => {
      const onehot = tf.cast(tf.oneHot(ids!, x!.shape[1]!), 'float32');
      return [tf.mul(tf.sub(tf.softmax(x!), onehot), tf.expandDims(tf.mul(dy, counted!), 1))];
    },
  );
}
