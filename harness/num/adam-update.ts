/** @file The arithmetic of one Adam step for one parameter: composed of tf operations, or one kernel where there is one. */
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

/** Computes new values as new tensors; the inputs are left as they are. */
export type AdamUpdate = (input: AdamInput) => { param: Tensor; m: Tensor; v: Tensor };

/** The step composed of tf operations: runs on every backend. */
export const composedAdamUpdate: AdamUpdate = ({ param, grad, m, v, lr, beta1, beta2, epsilon, decay, step }) => {
  const nextM = tf.add(tf.mul(m, beta1), tf.mul(grad, 1 - beta1));
  const nextV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(grad), 1 - beta2));
  // The bias corrections are scalars known here in float64; only the elementwise part runs in float32.
  const correction = Math.sqrt(1 - beta2 ** step);
  const denominator = tf.add(tf.div(tf.sqrt(nextV), correction), epsilon);
  const change = tf.mul(tf.div(nextM, denominator), lr / (1 - beta1 ** step));
  const shrunk = decay === 0 ? param : tf.mul(param, 1 - lr * decay);
  return { param: tf.sub(shrunk, change), m: nextM, v: nextV };
};

/** One pass over memory in place of a dozen: the native backend's kernel. Same step, rounded in another order. */
const fusedAdamUpdate: AdamUpdate = ({ param, grad, m, v, lr, beta1, beta2, epsilon, decay, step }) => {
  const attrs = { learningRate: lr, beta1, beta2, epsilon, weightDecay: decay, step };
  const [next, nextM, nextV] = tf.engine().runKernel('SaxAdam', { param, grad, m, v }, attrs) as Tensor[];
  return { param: next!, m: nextM!, v: nextV! };
};

/** The step by the fastest means that the backend in use offers. */
export const adamUpdate: AdamUpdate = (input) =>
  (tf.getKernel('SaxAdam', tf.getBackend()) ? fusedAdamUpdate : composedAdamUpdate)(input);
