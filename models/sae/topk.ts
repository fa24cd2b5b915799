/** @file TopK SAE with AuxK: exactly k latents an input. */
import {
  type Codes,
  defineSae,
  geometricMedian,
  type NamedTensors,
  type SaeShape,
  type Scalar,
  sparseDecode,
  type Tensor1D,
  type Tensor2D,
  tf,
  topkSparse,
} from '../../harness/contract.ts';
import { auxkLoss } from './shared/auxk.ts';
import { randomDecoder, tangentDecoderGradient, tiedEncoder, unitNormRows } from './shared/decoder.ts';
import { checkK, foldBiases, saeLensTensors } from './shared/linear-parts.ts';
import { sampleVariance } from './shared/variance.ts';

interface TopkParameters {
  k: number;
  aux_alpha: number;
  k_aux: number | null;
}

/** W_enc^T (x − b_dec) + b_enc. */
function preActivations(params: NamedTensors, x: Tensor2D): Tensor2D {
  const centred = tf.sub(x, params['b_dec']!) as Tensor2D;
  return tf.add(tf.matMul(centred, params['W_enc'] as Tensor2D), params['b_enc']!) as Tensor2D;
}

function topkCodes(pre: Tensor2D, k: number): Codes & { kind: 'topk' } {
  const { indices, values } = topkSparse(pre, k);
  return { kind: 'topk', indices, values: tf.relu(values), d_sae: pre.shape[1] };
}

function decode(params: NamedTensors, codes: Codes): Tensor2D {
  const W_dec = params['W_dec'] as Tensor2D;
  const b_dec = params['b_dec'] as Tensor1D;
  if (codes.kind === 'topk') return sparseDecode(codes.values, codes.indices, W_dec, b_dec);
  return tf.add(tf.matMul(codes.values, W_dec), b_dec) as Tensor2D;
}

export default defineSae<TopkParameters>({
  id: 'topk',
  title: 'TopK SAE with AuxK',
  paper: 'Gao et al. 2024, arXiv:2406.04093',
  version: 1,
  hyperparameters: {
    k: { type: 'integer', minimum: 1, default: 16, description: 'Latents kept for each input.' },
    aux_alpha: { type: 'number', minimum: 0, default: 1 / 32, description: 'Weight of the AuxK loss.' },
    k_aux: {
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
      description: 'Dead latents that AuxK uses for each input; null: half of d_in.',
    },
  },
  validate: (shape, hp) => checkK('topk', hp.k, shape, true),
  training: (shape: SaeShape) => ({ lr: 2e-4 / Math.sqrt(shape.d_sae / 2 ** 14), epsilon: 6.25e-10, clip: 1 }),
  init(shape, _hp, { rng, sample }) {
    const W_dec = randomDecoder(shape, rng, 1);
    return {
      params: {
        W_dec,
        W_enc: tiedEncoder(W_dec, shape, rng, 1),
        b_enc: tf.zeros([shape.d_sae]),
        b_dec: tf.tensor1d(geometricMedian(sample.dataSync() as Float32Array, shape.d_in)),
      },
      buffers: { variance: sampleVariance(sample) },
    };
  },
  encode: (params, x, hp) => topkCodes(preActivations(params, x), hp.k),
  decode,
  loss(params, batch, state, hp) {
    const pre = preActivations(params, batch.x);
    const codes = topkCodes(pre, hp.k);
    const reconstruction = decode(params, codes);
    const nmse = tf.div(tf.mean(tf.squaredDifference(batch.target, reconstruction)), state.buffers['variance']!);
    const k_aux = hp.k_aux ?? Math.max(1, Math.floor(batch.x.shape[1] / 2));
    const aux = auxkLoss(params, pre, batch.target, reconstruction, state, k_aux);
    const total = tf.add(nmse, tf.mul(aux, hp.aux_alpha)) as Scalar;
    return { total, parts: { nmse: nmse as Scalar, aux }, codes, reconstruction };
  },
  beforeStep: tangentDecoderGradient,
  afterStep: (params) => ({ W_dec: unitNormRows(params['W_dec'] as Tensor2D) }),
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  toSaeLens: (params, hp) => ({
    architecture: 'topk',
    cfg: { k: hp.k, apply_b_dec_to_input: true, rescale_acts_by_decoder_norm: false },
    tensors: saeLensTensors(params),
  }),
});
