/** @file Linear encoders, those that subtract b_dec from the input among them, and the dense decoder. */
import { type NamedTensors, type Tensor1D, type Tensor2D, tf } from '../../../harness/contract.ts';
import type { LinearEncoder } from '../../../harness/kit/index.ts';

/** x · W_enc + b_enc as an operand of `topkEncode`: b_dec is not subtracted. */
export function linearEncoder(params: NamedTensors): LinearEncoder {
  return { W_enc: params['W_enc'] as Tensor2D, bias: params['b_enc'] as Tensor1D };
}

/** (x − b_dec) · W_enc + b_enc as one. */
export function centredEncoder(params: NamedTensors): LinearEncoder & { centre: Tensor1D } {
  const { W_enc, b_enc, b_dec } = params as { W_enc: Tensor2D; b_enc: Tensor1D; b_dec: Tensor1D };
  return { W_enc, bias: b_enc, centre: b_dec };
}

/**
 * b − b_dec · W_enc, b being `b_enc` unless it is named: with it x · W_enc + bias = (x − b_dec) · W_enc + b, and the gradient
 * of b_dec needs no product of the size of the batch.
 */
export function centredBias(params: NamedTensors, name = 'b_enc'): Tensor1D {
  const b_dec = tf.expandDims(params['b_dec'] as Tensor1D, 0) as Tensor2D;
  const shift = tf.squeeze(tf.matMul(b_dec, params['W_enc'] as Tensor2D), [0]);
  return tf.sub(params[name]!, shift) as Tensor1D;
}

/** ReLU((x − b_dec) · W_enc + b) of all latents, [n, d_sae], b as of {@link centredBias}. Differentiable in x too. */
export function centredReluCodes(params: NamedTensors, x: Tensor2D, name?: string): Tensor2D {
  const operands = { a: x, b: params['W_enc'] as Tensor2D, bias: centredBias(params, name) };
  return tf.fused.matMul({ ...operands, activation: 'relu' }) as Tensor2D;
}

/** x · W_enc + bias, [n, d_sae]. */
export function preActivations(params: NamedTensors, x: Tensor2D, bias: Tensor1D): Tensor2D {
  return tf.add(tf.matMul(x, params['W_enc'] as Tensor2D), bias) as Tensor2D;
}

/** codes · W_dec + b_dec for dense codes [n, d_sae]. */
export function denseDecode(params: NamedTensors, codes: Tensor2D): Tensor2D {
  return tf.add(tf.matMul(codes, params['W_dec'] as Tensor2D), params['b_dec']!) as Tensor2D;
}
