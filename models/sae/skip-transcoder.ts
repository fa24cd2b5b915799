/**
 * @file Skip transcoder: a TopK transcoder with a linear way past its latents, ŷ = f W_dec + b_dec + W_skip x.
 *
 * TopK as in the paper (SAELens's `skip_transcoder` has ReLU at inference, so that this one is kept in our own layout). W_skip
 * starts at 0, b_dec at the target's mean, and b_dec is not taken from the input. The loss is in units of the target's variance.
 */
import { type Codes, defineSae, type NamedTensors, type Tensor1D, type Tensor2D, tf } from '../../harness/contract.ts';
import { type LinearEncoder, topkEncode } from '../../harness/kit/index.ts';
import { linearMacs } from './shared/cost.ts';
import { centringBias, freeEncoder, randomDecoder } from './shared/decoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { checkK, foldBiases } from './shared/linear-parts.ts';
import { topkDecode } from './shared/topk-codes.ts';
import {
  raiseDeadBiases,
  type TopkFamily,
  topkFamilyHyperparameters,
  topkHyperparameter,
} from './shared/topk-family.ts';
import { normalisedError, withAuxk } from './shared/topk-family-loss.ts';
import { sampleVariance } from './shared/variance.ts';

const encoderOf = ({ W_enc, b_enc }: NamedTensors): LinearEncoder => ({
  W_enc: W_enc as Tensor2D,
  bias: b_enc as Tensor1D,
});

function encode(params: NamedTensors, x: Tensor2D, k: number): Codes & { kind: 'topk' } {
  const encoder = encoderOf(params);
  return { kind: 'topk', ...topkEncode(x, encoder, k), d_sae: encoder.W_enc.shape[1] };
}

/** x W_skip^T [n, d_out]. */
const skip = ({ W_skip }: NamedTensors, x: Tensor2D) => tf.matMul(x, W_skip as Tensor2D, false, true) as Tensor2D;

export default defineSae<TopkFamily>({
  id: 'skip-transcoder',
  title: 'Skip transcoder (TopK)',
  inference: 'the k largest positive pre-activations of each input',
  paper: 'Paulo, Shabalin & Belrose 2025, arXiv:2501.18823',
  version: 1,
  data: { target: 'other-site' },
  hyperparameters: { k: topkHyperparameter, ...topkFamilyHyperparameters },
  validate: (shape, hp) => checkK('skip-transcoder', hp.k, shape, true),
  training: (shape, _hp, run) => ({ lr: learningRate(1.2e-3, shape, run, 0.5), epsilon: 6.25e-10, clip: 1 }),
  init(shape, _hp, { rng, sample, targetSample }) {
    const variance = sampleVariance(targetSample);
    // Latents that are as large as what they are to reconstruct.
    const size = Math.sqrt(variance.dataSync()[0]! / sampleVariance(sample).dataSync()[0]!);
    const W_enc = freeEncoder(shape, rng, size);
    return {
      params: {
        W_dec: randomDecoder(shape, rng, 1),
        W_enc,
        b_enc: centringBias(sample, W_enc),
        b_dec: tf.mean(targetSample, 0),
        W_skip: tf.zeros([shape.d_out, shape.d_in]),
      },
      buffers: { variance },
    };
  },
  encode: (params, x, hp) => encode(params, x, hp.k),
  decode: topkDecode,
  skip,
  loss(params, { x, target }, state, hp) {
    const codes = encode(params, x, hp.k);
    const reconstruction = tf.add(topkDecode(params, codes), skip(params, x)) as Tensor2D;
    const step = { x, target, reconstruction };
    const { total, nmse, aux } = withAuxk(
      normalisedError(target, reconstruction, state),
      ...([params, step, state, hp] as const),
      (own, rows, k, among) => topkEncode(rows, encoderOf(own), k, among),
    );
    return { total, parts: { nmse, aux }, codes, reconstruction };
  },
  targetL0: (hp) => hp.k,
  unitRows: () => ['W_dec'],
  beforeStep: raiseDeadBiases,
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  macs(shape, { k }) {
    const { encode, decode } = linearMacs(shape, k);
    return { encode: encode + shape.d_in * shape.d_out, decode };
  },
});
