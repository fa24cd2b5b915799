/** @file f = ReLU(W_enc^T x + b_enc), its reconstruction and its L1 weighted by decoder norms, on sparse codes once they are few. */
import {
  type Codes,
  type NamedTensors,
  type SaeDefinition,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  type TrainState,
  tf,
} from '../../../harness/contract.ts';
import { denseEncode, rowNorms, sparseDecode, type TopkCodes } from '../../../harness/kit/index.ts';
import { linearEncoder } from './encoder.ts';
import { fewActive } from './few-active.ts';
import { foldDecoderNorms } from './linear-parts.ts';
import { penalisedVariant } from './penalised.ts';
import type { SparsityTarget } from './sparsity-target.ts';

/** ReLU(W_enc^T x + b_enc): b_dec is not subtracted at the input. */
export const reluEncode = (params: NamedTensors, x: Tensor2D): Tensor2D =>
  tf.fused.matMul({ a: x, b: params['W_enc'] as Tensor2D, bias: params['b_enc']!, activation: 'relu' }) as Tensor2D;

/** What a batch gives: codes, reconstruction, and the mean over inputs of Σ_i f_i ‖d_i‖. */
interface Decoded {
  codes: Codes;
  reconstruction: Tensor2D;
  l1: Scalar;
}

/** Codes with zeros: the norms ride along as one more column of the decoder, so that one product and its gradient do. */
function decodeDense(params: NamedTensors, values: Tensor2D): Decoded {
  const W_dec = params['W_dec'] as Tensor2D;
  const [n, width] = [values.shape[0], W_dec.shape[1]];
  const both = tf.matMul(values, tf.concat([W_dec, rowNorms(W_dec)], 1));
  const reconstruction = tf.add(tf.slice(both, [0, 0], [n, width]), params['b_dec']!) as Tensor2D;
  const l1 = tf.mean(tf.slice(both, [0, width], [n, 1])) as Scalar;
  return { codes: { kind: 'dense', values }, reconstruction, l1 };
}

/** Codes without zeros. */
function decodeSparse(params: NamedTensors, { indices, values }: TopkCodes): Decoded {
  const W_dec = params['W_dec'] as Tensor2D;
  const reconstruction = sparseDecode(values, indices, W_dec, params['b_dec'] as Tensor1D, { activeOnly: true });
  const norms = tf.gather(tf.squeeze(rowNorms(W_dec), [1]), indices);
  const l1 = tf.div(tf.sum(tf.mul(values, norms)), indices.shape[0]) as Scalar;
  return { codes: { kind: 'topk', indices, values, d_sae: W_dec.shape[0] }, reconstruction, l1 };
}

/** One training batch; `carry` is for the next one. */
export function reluDecoded(
  params: NamedTensors,
  x: Tensor2D,
  state: TrainState,
): Decoded & { carry: Record<string, number> } {
  const { few, carry } = fewActive(x, linearEncoder(params), state);
  return { ...(few ? decodeSparse(params, few) : decodeDense(params, denseEncode(x, linearEncoder(params)))), carry };
}

/** Everything but a variant's name, its options, its recipe, its start values, its loss and SAELens's form. */
export const reluVariant = {
  ...penalisedVariant,
  inference: 'every latent with a positive pre-activation',
  encode: (params, x): Codes => ({ kind: 'dense', values: reluEncode(params, x) }),
  toInference: foldDecoderNorms,
} satisfies Partial<SaeDefinition<SparsityTarget>>;
