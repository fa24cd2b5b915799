/** @file The arithmetic of one Adam step for several parameters: fused where the backend can, else in tf operations. */
import type { AdamAttributes } from './kernels/declining.ts';
import { hasKernel, runKernels } from './kernels/own.ts';
import { type Scalar, type Tensor, type Tensor2D, tf } from './tf.ts';
import { tangentRows, unitNormRows } from './unit-rows.ts';

/** One parameter and what moves it. */
export interface AdamPart {
  param: Tensor;
  grad: Tensor;
  m: Tensor;
  v: Tensor;
  /** Decoupled weight decay coefficient; 0 for none. */
  decay: number;
  /** Keep the rows [rows, width] at unit length: the step is along the sphere, then the rows are rescaled. */
  unitRows: boolean;
}

/** What the parameters have in common. */
export interface AdamRates {
  lr: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Counts from 1. */
  step: number;
  /** Largest joint norm of the gradients; 0 for any. */
  clipNorm: number;
}

/** What is to take the place of a parameter and its moments. */
export type AdamResult = Record<'param' | 'm' | 'v', Tensor>;

const FUSED = 'SaxAdam';

/** One pass over memory, or few, in place of two dozen: a kernel of the backend's. Same step, rounded in another order. */
function fused(parts: AdamPart[], { lr, ...rates }: AdamRates, take: (i: number, next: AdamResult) => void): void {
  const inputs = parts.flatMap(({ param, m, v, grad }) => [param, m, v, grad]);
  const [weightDecay, unitRows] = [parts.map(({ decay }) => decay), parts.map((part) => part.unitRows)];
  const attributes = { ...rates, learningRate: lr, weightDecay, unitRows } satisfies AdamAttributes;
  const next = runKernels(FUSED, inputs, attributes);
  for (let i = 0; i < parts.length; i++) {
    const [param, m, v] = next.slice(3 * i, 3 * i + 3);
    take(i, { param: param!, m: m!, v: v! });
  }
}

/** PyTorch's `clip_grad_norm_`: min(1, clip / (norm + 1e-6)), kept on the device. */
function clipScale(grads: Tensor[], clipNorm: number): Scalar {
  const squares = grads.map((grad) => tf.sum(tf.square(grad)));
  return tf.minimum(1, tf.div(clipNorm, tf.add(tf.sqrt(tf.addN(squares)), 1e-6))) as Scalar;
}

function composedStep({ param, m, v, decay, unitRows }: AdamPart, scaled: Tensor, rates: AdamRates): AdamResult {
  const { lr, beta1, beta2, epsilon, step } = rates;
  const nextM = tf.add(tf.mul(m, beta1), tf.mul(scaled, 1 - beta1));
  const nextV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(scaled), 1 - beta2));
  // The bias corrections are scalars known here in float64; only the elementwise part runs in float32.
  const correction = Math.sqrt(1 - beta2 ** step);
  const denominator = tf.add(tf.div(tf.sqrt(nextV), correction), epsilon);
  const change = tf.mul(tf.div(nextM, denominator), lr / (1 - beta1 ** step));
  const shrunk = decay === 0 ? param : tf.mul(param, 1 - lr * decay);
  const next = tf.sub(shrunk, change);
  return { param: unitRows ? unitNormRows(next as Tensor2D) : next, m: nextM, v: nextV };
}

function composed(parts: AdamPart[], rates: AdamRates, take: (i: number, next: AdamResult) => void): void {
  const grads = parts.map(({ grad, param, unitRows }) =>
    unitRows ? tangentRows(grad as Tensor2D, param as Tensor2D) : grad,
  );
  const scale = rates.clipNorm > 0 ? clipScale(grads, rates.clipNorm) : tf.scalar(1);
  parts.forEach((part, i) => {
    tf.tidy(() => take(i, composedStep(part, tf.mul(grads[i]!, scale), rates)));
  });
}

/**
 * One step by the fastest means that the backend in use offers; `take` gets what comes of each part and must keep what it
 * wants. On the native backend param, m and v are changed in place where nothing else refers to their numbers: what `take` gets
 * is to take the place of the old ones.
 */
export function adamSteps(parts: AdamPart[], rates: AdamRates, take: (i: number, next: AdamResult) => void): void {
  tf.tidy(() => (hasKernel(FUSED) ? fused : composed)(parts, rates, take));
}
