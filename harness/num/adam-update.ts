/** @file The arithmetic of one Adam step for one parameter: fused where the backend can, else in tf operations. */
import { hasKernel, runKernel, runKernels } from './kernels/own.ts';
import { type Scalar, type Tensor, type Tensor2D, tf } from './tf.ts';
import { tangentRows, unitNormRows } from './unit-rows.ts';

/** What one parameter's step is computed from. `step` counts from 1. */
export interface AdamInput {
  param: Tensor;
  /** From {@link adamGradient}. */
  grad: Tensor;
  /** Factor on the gradient: what clipping found. */
  scale: Scalar;
  m: Tensor;
  v: Tensor;
  lr: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled weight decay coefficient; 0 for none. */
  decay: number;
  /** Keep the rows [rows, width] at unit length: the step is along the sphere, then the rows are rescaled. */
  unitRows: boolean;
  step: number;
}

type AdamUpdate = (input: AdamInput) => { param: Tensor; m: Tensor; v: Tensor };

const FUSED = 'SaxAdam';
const SQUARES = 'SaxGradSquares';

/** One pass over memory in place of two dozen: the native backend's kernel. Same step, rounded in another order. */
const fused: AdamUpdate = ({ param, grad, scale, m, v, lr, decay, ...attrs }) => {
  const next = runKernels(FUSED, { param, m, v, grad, scale }, { ...attrs, learningRate: lr, weightDecay: decay });
  return { param: next[0]!, m: next[1]!, v: next[2]! };
};

const composed: AdamUpdate = ({ param, grad, scale, m, v, lr, beta1, beta2, epsilon, decay, unitRows, step }) => {
  const scaled = tf.mul(grad, scale);
  const nextM = tf.add(tf.mul(m, beta1), tf.mul(scaled, 1 - beta1));
  const nextV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(scaled), 1 - beta2));
  // The bias corrections are scalars known here in float64; only the elementwise part runs in float32.
  const correction = Math.sqrt(1 - beta2 ** step);
  const denominator = tf.add(tf.div(tf.sqrt(nextV), correction), epsilon);
  const change = tf.mul(tf.div(nextM, denominator), lr / (1 - beta1 ** step));
  const shrunk = decay === 0 ? param : tf.mul(param, 1 - lr * decay);
  const next = tf.sub(shrunk, change);
  return { param: unitRows ? unitNormRows(next as Tensor2D) : next, m: nextM, v: nextV };
};

/**
 * The step by the fastest means that the backend in use offers. On the native backend param, m and v are changed in place
 * where nothing else refers to their numbers; the tensors returned are to take the place of the old ones.
 */
export const adamUpdate: AdamUpdate = (input) => (hasKernel(FUSED) ? fused(input) : composed(input));

/** The gradient as {@link adamUpdate} takes it: with `unitRows` tangent to the rows, where the kernel will not see to that. */
export function adamGradient(grad: Tensor, param: Tensor, unitRows: boolean): Tensor {
  return unitRows && !hasKernel(FUSED) ? tangentRows(grad as Tensor2D, param as Tensor2D) : grad;
}

/** Sum of squares of the gradient that the step will use; `grad` from {@link adamGradient}. */
export function gradientSquares(grad: Tensor, param: Tensor, unitRows: boolean): Scalar {
  if (!hasKernel(SQUARES)) return tf.sum(tf.square(grad)) as Scalar;
  return runKernel<Scalar>(SQUARES, unitRows ? { grad, rows: param } : { grad });
}
