/** @file Matrices whose rows are directions: norms, scaling to unit length, gradients tangent to the sphere. */
import { customOp } from './ops/custom-op.ts';
import { type Tensor2D, tf } from './tf.ts';

/** Euclidean norm of each row, as a column [n, 1]. */
export function rowNorms(rows: Tensor2D): Tensor2D {
  return customOp<Tensor2D>(
    [rows],
    (save, x) => {
      const norms = tf.sqrt(tf.sum(tf.square(x!), 1, true)) as Tensor2D;
      save([x!, norms]);
      return norms;
    },
    // One product of the size of the rows, where the three operations would pass over them four times.
    (dy, [x, norms]) => [tf.mul(x!, tf.div(dy, norms!))],
  );
}

/** Rows scaled to unit length; a zero row stays zero. */
export function unitNormRows(rows: Tensor2D): Tensor2D {
  return tf.mul(rows, tf.div(1, tf.maximum(rowNorms(rows), 1e-12))) as Tensor2D;
}

/**
 * A gradient less its component along each row, so that Adam's moments do not fill with a direction that the
 * renormalisation takes back (Bricken et al. 2023). The rows must have unit length.
 */
export function tangentRows(grad: Tensor2D, rows: Tensor2D): Tensor2D {
  return tf.sub(grad, tf.mul(rows, tf.sum(tf.mul(grad, rows), 1, true))) as Tensor2D;
}
