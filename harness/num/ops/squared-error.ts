/** @file Squared distances of a batch from its reconstruction, summed in one pass where the backend can. */
import { hasKernel, runKernel } from '../kernels/own.ts';
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

const ERRORS = 'SaxSquaredErrors';
const GRADIENT = 'SaxSquaredErrorGrad';

/** Σ‖y − ŷ‖² over rows [n, d], off the tape. */
export function sumOfSquares(target: Tensor, reconstruction: Tensor): Scalar {
  if (!hasKernel(ERRORS)) return tf.sum(tf.squaredDifference(target, reconstruction));
  return tf.reshape(runKernel(ERRORS, { target, reconstruction }), []);
}

/** dy · 2 (ŷ − y). */
export function sumOfSquaresGradient(target: Tensor, reconstruction: Tensor, dy: Scalar): Tensor {
  if (hasKernel(GRADIENT)) return runKernel(GRADIENT, { target, reconstruction, dy });
  return tf.mul(tf.mul(tf.sub(reconstruction, target), 2), dy);
}

/** Σ‖y − ŷ‖² over rows [n, d]. The gradient flows to `reconstruction`; `target` is a constant. */
export function squaredError(target: Tensor2D, reconstruction: Tensor2D): Scalar {
  return customOp<Scalar>(
    [reconstruction],
    (save, guess) => {
      save([target, guess!]);
      return sumOfSquares(target, guess!);
    },
    (dy, [y, guess]) => [sumOfSquaresGradient(y!, guess!, dy)],
  );
}

/** Σ‖y − ŷ‖² and Σ‖y − ȳ‖² over the rows, ȳ their mean: [2]. */
export function batchErrors(target: Tensor2D, reconstruction: Tensor2D): Tensor1D {
  return tf.tidy(() => {
    if (hasKernel(ERRORS)) return runKernel<Tensor1D>(ERRORS, { target, reconstruction }, { variance: true });
    const residual = tf.sum(tf.square(tf.sub(target, reconstruction)));
    const variance = tf.sum(tf.square(tf.sub(target, tf.mean(target, 0, true))));
    return tf.stack([residual, variance]) as Tensor1D;
  });
}
