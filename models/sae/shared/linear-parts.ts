/** @file Hyper-parameters, folding and export that variants with W_enc, b_enc, W_dec, b_dec have in common. */
import { type NamedTensors, type SaeShape, type Tensor2D, tf, UserError } from '../../../harness/contract.ts';
import { unitNormRows } from '../../../harness/kit/index.ts';

/**
 * Params fitted on s·x, made to fit x: biases and thresholds are divided by s. With ReLU-like activations the codes are
 * then those of x in its own units, and the decoder keeps its norms.
 */
export function foldBiases(params: NamedTensors, scale: number): NamedTensors {
  const scaled = ['b_enc', 'b_dec', 'b_gate', 'b_mag', 'threshold'].filter((name) => params[name]);
  return { ...params, ...Object.fromEntries(scaled.map((name) => [name, tf.div(params[name]!, scale)])) };
}

/**
 * Moves the decoder norms into the encoder, so that decoder rows have unit length and a code is the length of what it
 * adds. For encoders that act on each latent alone with a positively homogeneous activation.
 */
export function foldDecoderNorms(params: NamedTensors): NamedTensors {
  const norms = tf.norm(params['W_dec'] as Tensor2D, 'euclidean', 1);
  const perLatent = ['W_enc', 'b_enc', 'b_gate', 'b_mag', 'threshold'].filter((name) => params[name]);
  return {
    ...params,
    ...Object.fromEntries(perLatent.map((name) => [name, tf.mul(params[name]!, norms)])),
    W_dec: unitNormRows(params['W_dec'] as Tensor2D),
  };
}

/** Tensors under SAELens's names, which are ours. */
export function saeLensTensors(params: NamedTensors): NamedTensors {
  const { W_enc, b_enc, W_dec, b_dec } = params;
  return { W_enc: W_enc!, b_enc: b_enc!, W_dec: W_dec!, b_dec: b_dec! };
}

/** @throws UserError unless k is a number with 0 < k ≤ d_sae (and whole where it must be). */
export function checkK(id: string, k: unknown, shape: SaeShape, whole: boolean): void {
  const fits = typeof k === 'number' && k > 0 && k <= shape.d_sae && (!whole || Number.isInteger(k));
  if (fits) return;
  throw new UserError(
    `sae ${id}: k: expected a ${whole ? 'whole ' : ''}number from 1 to d_sae = ${shape.d_sae}, found ${k}; lower k or raise d_sae.`,
  );
}
