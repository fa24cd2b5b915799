/** @file The pseudo-derivatives through which JumpReLU learns its thresholds. */
import { reluGradient, sumToShape } from '../gradients/binary.ts';
import { hasKernel, runKernel, runKernels } from '../kernels/own.ts';
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** 1[z > θ] as numbers. */
const above = (z: Tensor, theta: Tensor) => tf.cast(tf.greater(z, theta), 'float32');

/** 1 where |z - theta| < bandwidth / 2, else 0: the rectangle kernel K((z - θ)/ε), two-sided. */
function rectangle(z: Tensor, theta: Tensor, bandwidth: number): Tensor {
  if (hasKernel('SaxBand')) return runKernel('SaxBand', { z, theta }, { bandwidth });
  return tf.cast(tf.less(tf.abs(tf.sub(z, theta)), bandwidth / 2), 'float32');
}

/** How many z > θ, and how many are within the rectangle kernel of each threshold. */
function counts(z: Tensor, theta: Tensor, bandwidth: number): { total: Tensor; near: Tensor } {
  if (hasKernel('SaxThresholdCounts') && theta.rank === 1 && z.size > 0) {
    const [total, near] = runKernels('SaxThresholdCounts', { z, theta }, { bandwidth });
    return { total: total!, near: near! };
  }
  return { total: tf.sum(above(z, theta)), near: sumToShape(rectangle(z, theta, bandwidth), theta.shape) };
}

/** dy · 1[z > θ], and dy times the rectangle kernel. */
function jumpGrads(dy: Tensor, z: Tensor, theta: Tensor, bandwidth: number): [Tensor, Tensor] {
  if (hasKernel('SaxJumpGrad')) return runKernels('SaxJumpGrad', { dy, z, theta }, { bandwidth }) as [Tensor, Tensor];
  return [tf.mul(dy, above(z, theta)), tf.mul(dy, rectangle(z, theta, bandwidth))];
}

/** The positive part of z where z > θ, else 0; θ is a constant, a scalar or [d_sae]. The gradient passes where it is above 0. */
export function aboveThreshold(z: Tensor2D, theta: Tensor): Tensor2D {
  return customOp<Tensor2D>(
    [z],
    (save, zs) => {
      const fused = hasKernel('SaxJump') && zs!.size > 0;
      const kept = fused
        ? runKernel('SaxJump', { z: zs!, theta }, { rectify: true })
        : tf.mul(tf.relu(zs!), above(zs!, theta));
      save([kept]);
      return kept as Tensor2D;
    },
    (dy, [kept]) => [reluGradient(dy as Tensor, kept!)],
  );
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
      if (hasKernel('SaxJump')) return runKernel('SaxJump', { z: zs!, theta: thetas! });
      return tf.mul(zs!, above(zs!, thetas!));
    },
    (dy, [zs, thetas]) => {
      const [dz, band] = jumpGrads(dy, zs!, thetas!, bandwidth);
      return [dz, tf.mul(sumToShape(band, thetas!.shape), tf.div(thetas!, -bandwidth))];
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
      const { total, near } = counts(z, thetas!, bandwidth);
      save([near]);
      return tf.div(total, n) as Scalar;
    },
    (dy, [near]) => [tf.mul(near!, tf.div(dy, -bandwidth * n))],
  );
}
