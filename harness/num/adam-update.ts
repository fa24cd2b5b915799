/** @file The arithmetic of one Adam step for one parameter: fused where the backend can, else in tf operations. */
import { hasKernel, runKernels } from './kernels/own.ts';
import { type Tensor, tf } from './tf.ts';

/** What one parameter's step is computed from. `step` counts from 1. */
export interface AdamInput {
  param: Tensor;
  grad: Tensor;
  m: Tensor;
  v: Tensor;
  lr: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled weight decay coefficient; 0 for none. */
  decay: number;
  step: number;
}

type AdamUpdate = (input: AdamInput) => { param: Tensor; m: Tensor; v: Tensor };

/** One pass over memory in place of a dozen: the native backend's kernel. Same step, rounded in another order. */
const fused: AdamUpdate = ({ param, grad, m, v, lr, decay, ...attrs }) => {
  const next = runKernels('SaxAdam', { param, m, v, grad }, { ...attrs, learningRate: lr, weightDecay: decay });
  return { param: next[0]!, m: next[1]!, v: next[2]! };
};

const composed: AdamUpdate = ({ param, grad, m, v, lr, beta1, beta2, epsilon, decay, step }) => {
  const nextM = tf.add(tf.mul(m, beta1), tf.mul(grad, 1 - beta1));
  const nextV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(grad), 1 - beta2));
  // The bias corrections are scalars known here in float64; only the elementwise part runs in float32.
  const correction = Math.sqrt(1 - beta2 ** step);
  const denominator = tf.add(tf.div(tf.sqrt(nextV), correction), epsilon);
  const change = tf.mul(tf.div(nextM, denominator), lr / (1 - beta1 ** step));
  const shrunk = decay === 0 ? param : tf.mul(param, 1 - lr * decay);
  return { param: tf.sub(shrunk, change), m: nextM, v: nextV };
};

/** The step by the fastest means that the backend in use offers: new tensors; the inputs are left as they are. */
export const adamUpdate: AdamUpdate = (input) => (hasKernel('SaxAdam') ? fused(input) : composed(input));
