/** @file RMS norm and layer norm over the last axis, with their gradients fused. */
import { sumToShape } from '../gradients/binary.ts';
import { hasKernel, runKernels } from '../kernels/own.ts';
import { type Tensor, type Tensor1D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

const lastMean = (x: Tensor) => tf.mean(x, -1, true);

/** ∂weight from the normalised input. */
const weightGrad = (dy: Tensor, normed: Tensor, weight: Tensor) => sumToShape(tf.mul(dy, normed), weight.shape);

/** A fused kernel reads as much of a gain as a row is wide: a longer one would pass without a word. */
function checkWidth(x: Tensor, ...parts: Tensor1D[]): void {
  const width = x.shape.at(-1);
  if (parts.every(({ size }) => size === width)) return;
  throw new Error(
    `norm: expected a gain, and a bias, of ${width}, the width of x; found ${parts.map(({ size }) => size)}`,
  );
}

/**
 * x / sqrt(mean(x²) + ε) · weight (Zhang & Sennrich 2019).
 *
 * @param x [..., d]
 * @param weight [d]
 */
export function rmsNorm<T extends Tensor>(x: T, weight: Tensor1D, epsilon: number): T {
  checkWidth(x, weight);
  if (hasKernel('SaxRmsNorm')) {
    return customOp<T>(
      [x, weight],
      (save, xs, gain) => {
        const [y, rstd] = runKernels('SaxRmsNorm', { x: xs!, gain: gain! }, { epsilon });
        save([xs!, rstd!, gain!]);
        return y as T;
      },
      (dy: Tensor, [xs, rstd, gain]) => {
        const [dx, normed] = runKernels('SaxRmsNormGrad', { dy, x: xs!, rstd: rstd!, gain: gain! });
        return [dx!, weightGrad(dy, normed!, gain!)];
      },
    );
  }
  return customOp<T>(
    [x, weight],
    (save, xs, w) => {
      const scale = tf.rsqrt(tf.add(lastMean(tf.square(xs!)), epsilon));
      const normed = tf.mul(xs!, scale);
      save([normed, scale, w!]);
      return tf.mul(normed, w!) as T;
    },
    (dy: Tensor, [normed, scale, w]) => {
      const g = tf.mul(dy, w!);
      const projected = tf.mul(normed!, lastMean(tf.mul(g, normed!)));
      return [tf.mul(tf.sub(g, projected), scale!), weightGrad(dy, normed!, w!)];
    },
  );
}

/**
 * (x - mean) / sqrt(var + ε) · weight + bias, biased variance (Ba et al. 2016).
 *
 * @param x [..., d]
 * @param weight [d]
 * @param bias [d]
 */
export function layerNorm<T extends Tensor>(x: T, weight: Tensor1D, bias: Tensor1D, epsilon: number): T {
  checkWidth(x, weight, bias);
  if (hasKernel('SaxLayerNorm')) {
    return customOp<T>(
      [x, weight, bias],
      (save, xs, gain, b) => {
        const [y, mean, rstd] = runKernels('SaxLayerNorm', { x: xs!, gain: gain!, bias: b! }, { epsilon });
        save([xs!, mean!, rstd!, gain!]);
        return y as T;
      },
      (dy: Tensor, [xs, mean, rstd, gain]) => {
        const inputs = { dy, x: xs!, mean: mean!, rstd: rstd!, gain: gain! };
        const [dx, normed] = runKernels('SaxLayerNormGrad', inputs);
        return [dx!, weightGrad(dy, normed!, gain!), sumToShape(dy, gain!.shape)];
      },
    );
  }
  return customOp<T>(
    [x, weight, bias],
    (save, xs, w, b) => {
      const centred = tf.sub(xs!, lastMean(xs!));
      const scale = tf.rsqrt(tf.add(lastMean(tf.square(centred)), epsilon));
      const normed = tf.mul(centred, scale);
      save([normed, scale, w!]);
      return tf.add(tf.mul(normed, w!), b!) as T;
    },
    (dy: Tensor, [normed, scale, w]) => {
      const g = tf.mul(dy, w!);
      const projected = tf.add(lastMean(g), tf.mul(normed!, lastMean(tf.mul(g, normed!))));
      return [tf.mul(tf.sub(g, projected), scale!), weightGrad(dy, normed!, w!), sumToShape(dy, w!.shape)];
    },
  );
}
