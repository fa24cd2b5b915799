/** @file The pseudo-derivatives through which JumpReLU learns its thresholds. */
import { sumToShape } from '../gradients/binary.ts';
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** 1[z > θ] as numbers. */
const above = (z: Tensor, theta: Tensor) => tf.cast(tf.greater(z, theta), 'float32');

/** 1 where |z - theta| < bandwidth / 2, else 0: the rectangle kernel K((z - θ)/ε), two-sided. */
function rectangle(z: Tensor, theta: Tensor, bandwidth: number): Tensor {
  return tf.cast(tf.less(tf.abs(tf.sub(z, theta)), bandwidth / 2), 'float32');
}

/**
 * JumpReLU: y = z · 1[z > θ]. The gradient to z is 1[z > θ]; the pseudo-gradient to θ is -(θ/ε) · K((z - θ)/ε) with
 * the rectangle kernel (Rajamanoharan et al. 2407.14435, eq. 11).
 *
 * @param z pre-activations [n, d_sae]
 * @param theta thresholds [d_sae] or as many as z, positive
 * @param bandwidth ε, positive
 */
export function jumprelu(z: Tensor2D, theta: Tensor1D | Tensor2D, bandwidth: number): Tensor2D {
  return customOp<Tensor2D>(
    [z, theta],
    (save, zs, thetas) => {
      save([zs!, thetas!]);
      return tf.mul(zs!, above(zs!, thetas!));
    },
    (dy, [zs, thetas]) => {
      const inBand = sumToShape(tf.mul(dy, rectangle(zs!, thetas!, bandwidth)), thetas!.shape);
      return [tf.mul(dy, above(zs!, thetas!)), tf.mul(inBand, tf.div(thetas!, -bandwidth))];
    },
  );
}

/**
 * Mean over the rows of how many latents have z > θ. No gradient to z; the pseudo-gradient to θ is that of Σ 1[z > θ] / n:
 * -(1/ε) · K((z - θ)/ε) / n (Rajamanoharan et al. 2407.14435, eq. 12). Apply it to z and not to the post-jump
 * activation: that would see only one side of the kernel.
 *
 * @param z pre-activations [n, d_sae], n ≥ 1
 * @param theta thresholds [d_sae] or as many as z, positive
 * @param bandwidth ε, positive
 */
export function thresholdL0(z: Tensor2D, theta: Tensor1D | Tensor2D, bandwidth: number): Scalar {
  const n = z.shape[0];
  return customOp<Scalar>(
    [theta],
    (save, thetas) => {
      save([z, thetas!]);
      return tf.div(tf.sum(above(z, thetas!)), n) as Scalar;
    },
    (dy, [zs, thetas]) => {
      const inBand = sumToShape(rectangle(zs!, thetas!, bandwidth), thetas!.shape);
      return [tf.mul(inBand, tf.div(dy, -bandwidth * n))];
    },
  );
}
