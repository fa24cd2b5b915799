/**
 * @file Dense linear encoders with their activation as one operation: bias and activation are applied to the product while it is
 * made, and its gradient reads of the codes' gradient what passes, once. x is a constant.
 */
import { hasKernel, runKernel, runKernels } from '../kernels/own.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { stopGradient, untracked } from './stop-gradient.ts';
import { jumprelu } from './threshold.ts';
import type { LinearEncoder } from './topk-encode.ts';

/** An encoder whose inputs are as they come. */
type Uncentred = Omit<LinearEncoder, 'centre'>;

const GRADIENT = 'SaxDenseEncodeGrad';

/** f(x · W_enc + bias), off the tape; nothing to sum, and no rows, are tfjs's own cases. */
const product = (x: Tensor2D, { W_enc, bias }: Uncentred, activation: 'linear' | 'relu'): Tensor2D =>
  runKernel('_FusedMatMul', { a: x, b: W_enc, bias }, { transposeA: false, transposeB: false, activation });

/**
 * ReLU(x · W_enc + bias) of all latents.
 *
 * @param x [n, d_in], which gets no gradient
 * @returns [n, d_sae]
 */
export function denseEncode(x: Tensor2D, { W_enc, bias }: Uncentred): Tensor2D {
  if (!hasKernel(GRADIENT)) return tf.fused.matMul({ a: x, b: W_enc, bias, activation: 'relu' }) as Tensor2D;
  return customOp<Tensor2D>(
    [W_enc, bias],
    (save, W, b) => {
      const codes = product(x, { W_enc: W as Tensor2D, bias: b as Tensor1D }, 'relu');
      save([x, codes]);
      return codes;
    },
    (dy, [input, codes]) => runKernels(GRADIENT, { x: input!, dy, seen: codes! }),
  );
}

/** What a batch gives before and after its thresholds, [n, d_sae]. */
export interface JumpEncoded {
  /** x · W_enc + bias, as a constant. */
  z: Tensor2D;
  values: Tensor2D;
}

/**
 * JumpReLU of x · W_enc + bias, with the gradients of {@link jumprelu}.
 *
 * @param x [n, d_in], which gets no gradient
 * @param theta thresholds [d_sae], positive
 * @param bandwidth ε, positive
 */
export function jumpEncode(x: Tensor2D, encoder: Uncentred, theta: Tensor1D, bandwidth: number): JumpEncoded {
  if (!hasKernel(GRADIENT)) {
    const z = tf.add(tf.matMul(x, encoder.W_enc), encoder.bias) as Tensor2D;
    return { z: stopGradient(z), values: jumprelu(z, theta, bandwidth) };
  }
  const z = untracked(() => product(x, encoder, 'linear'));
  const values = customOp<Tensor2D>(
    [encoder.W_enc, encoder.bias, theta],
    (save, _W, _b, thetas) => {
      save([x, z, thetas!]);
      return runKernel('SaxJump', { z, theta: thetas! });
    },
    (dy, [input, seen, thetas]) => {
      const inputs = { x: input!, dy, seen: seen!, theta: thetas! };
      const [dW, dbias, near] = runKernels(GRADIENT, inputs, { bandwidth }) as [Tensor, Tensor, Tensor];
      return [dW, dbias, tf.mul(near, tf.div(thetas!, -bandwidth))];
    },
  );
  return { z, values };
}
