/** @file ln Σ exp of rows, with its gradient as what it is: the softmax. */
import { hasKernel, runKernel } from '../kernels/own.ts';
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** The value alone: for a custom op's forward pass. */
export function logSumExpValue(x: Tensor2D): Tensor1D {
  return hasKernel('SaxLogSumExp') && x.shape[1] > 0
    ? runKernel<Tensor1D>('SaxLogSumExp', { x })
    : (tf.logSumExp(x, 1) as Tensor1D);
}

/** ln Σ exp of each row, [rows, n] → [rows]. tfjs's own keeps four tensors of x's size for the gradient; this one keeps x. */
export function rowLogSumExp(x: Tensor2D): Tensor1D {
  return customOp<Tensor1D>(
    [x],
    (save, input) => {
      save([input!]);
      return logSumExpValue(input as Tensor2D);
    },
    (dy, [saved]) => [tf.mul(tf.softmax(saved!), tf.expandDims(dy, 1))],
  );
}

/** −ln p of the class `targets[i]` of each row of logits [rows, n] → [rows]. */
export function targetLosses(logits: Tensor2D, targets: Int32Array): Tensor1D {
  const classes = logits.shape[1];
  const at = tf.tensor1d(
    targets.map((target, row) => row * classes + target),
    'int32',
  );
  return tf.sub(rowLogSumExp(logits), tf.gather(tf.reshape(logits, [-1]), at)) as Tensor1D;
}
