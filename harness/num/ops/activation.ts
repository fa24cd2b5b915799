/** @file The activation functions of transformers, plain and gated, with their gradients in one pass. */
import { hasKernel, runKernel, runKernels } from '../kernels/own.ts';
import { type Tensor, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** Activation functions by the names that `config.json` gives them. `gelu` is the exact one, x·Φ(x). */
export type Activation = 'silu' | 'quick_gelu' | 'gelu' | 'gelu_tanh';

const SQRT_HALF = Math.SQRT1_2;
const SQRT_TWO_OVER_PI = Math.sqrt(2 / Math.PI);

function composed(x: Tensor, kind: Activation): Tensor {
  switch (kind) {
    case 'silu':
      return tf.mul(x, tf.sigmoid(x));
    case 'quick_gelu':
      return tf.mul(x, tf.sigmoid(tf.mul(x, 1.702)));
    case 'gelu':
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, SQRT_HALF)), 1));
    case 'gelu_tanh': {
      const inner = tf.mul(tf.mul(x, tf.add(tf.mul(tf.square(x), 0.044715), 1)), SQRT_TWO_OVER_PI);
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    }
  }
}

/**
 * f(x), element by element; with `up`, of x's shape, the gated unit f(x) ⊙ up (Shazeer 2020, arXiv:2002.05202).
 * Gradients flow to both.
 */
export function activation<T extends Tensor>(x: T, kind: Activation, up?: T): T {
  if (!hasKernel('SaxActivation')) return (up ? tf.mul(composed(x, kind), up) : composed(x, kind)) as T;
  return customOp<T>(
    up ? [x, up] : [x],
    (save, a, b) => {
      save(b ? [a!, b] : [a!]);
      return runKernel<T>('SaxActivation', b ? { x: a!, up: b } : { x: a! }, { kind });
    },
    (dy: Tensor, [a, b]) => runKernels('SaxActivationGrad', b ? { dy, x: a!, up: b } : { dy, x: a! }, { kind }),
  );
}
