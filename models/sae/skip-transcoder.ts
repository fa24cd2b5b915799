/**
 * @file Skip transcoder: a TopK transcoder with a linear way past its latents, ŷ = f W_dec + b_dec + W_skip x.
 *
 * TopK as in the paper (SAELens's `skip_transcoder` has ReLU at inference, so that this one is kept in our own layout). W_skip
 * starts at 0, b_dec at the target's mean, and b_dec is not taken from the input. The loss is in units of the target's variance.
 *
 * Codes are as large as the target, which is smaller than the input (0.3 times at an MLP): training multiplies by a `size`.
 *
 * Tuned by the suite skip-archetypal-sweep, two seeds (1,562 steps): explained variance .793 and .788 at L0 14.7 and 14.6 of k 16, where
 * ReLU's transcoder has .793 at 14.7. L0 below k is no fault of the start: inputs whose target the skip and the bias explain need no
 * latents, and larger rates leave fewer to more of them (13.6 at the best explained variance, .797). Once at d 768,
 * F 12,288 (`npm run perf:synthetic -- --wide --variant skip-transcoder --batch 512 --seeds 1`: 50,000 rows four times, 390 steps): .194 at
 * L0 31.9 of k 32, .1 % silent, mean greatest cosine .160: far from learned at that length, and not tuned there.
 */
import { defineSae, type NamedTensors, type Tensor2D, tf } from '../../harness/contract.ts';
import { foldedEncoder, sizedAmong, sizedCodes } from './shared/code-size.ts';
import { linearMacs } from './shared/cost.ts';
import { centringBias, freeEncoder, randomDecoder } from './shared/decoder.ts';
import { linearEncoder } from './shared/encoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { checkK } from './shared/linear-parts.ts';
import { topkCodes, topkDecode, topkVariant } from './shared/topk-codes.ts';
import {
  type TopkFamily,
  topkFamilyHyperparameters,
  topkFamilyTraining,
  topkHyperparameter,
} from './shared/topk-family.ts';
import { normalisedError, withAuxk } from './shared/topk-family-loss.ts';
import { sampleVariance } from './shared/variance.ts';

const { toSaeLens: _, ...variant } = topkVariant;

/** Length of the encoder's columns at the start. */
const ENCODER_LENGTH = 1.5;

/** x W_skip^T [n, d_out]. */
const skip = ({ W_skip }: NamedTensors, x: Tensor2D) => tf.matMul(x, W_skip as Tensor2D, false, true) as Tensor2D;

export default defineSae<TopkFamily>({
  ...variant,
  id: 'skip-transcoder',
  title: 'Skip transcoder (TopK)',
  paper: 'Paulo, Shabalin & Belrose 2025, arXiv:2501.18823',
  version: 2,
  data: { target: 'other-site' },
  hyperparameters: { k: topkHyperparameter, ...topkFamilyHyperparameters },
  validate: (shape, hp) => checkK('skip-transcoder', hp.k, shape, true),
  training: (shape, hp, run) => ({
    ...topkFamilyTraining(shape, hp, run),
    lr: learningRate(4.8e-3, shape, run, 0.5),
    lrDecayFraction: 0.4,
  }),
  init(shape, _hp, { rng, sample, targetSample }) {
    const variance = sampleVariance(targetSample);
    const W_enc = freeEncoder(shape, rng, ENCODER_LENGTH);
    // Latents then start as large as what they are to reconstruct.
    const size = tf.div(tf.sqrt(tf.div(variance, sampleVariance(sample))), ENCODER_LENGTH);
    return {
      params: {
        W_dec: randomDecoder(shape, rng, 1),
        W_enc,
        b_enc: centringBias(sample, W_enc),
        b_dec: tf.mean(targetSample, 0),
        W_skip: tf.zeros([shape.d_out, shape.d_in]),
      },
      buffers: { variance, size },
    };
  },
  encode: (params, x, hp) => topkCodes(linearEncoder(params), x, hp.k),
  skip,
  loss(params, { x, target }, state, hp) {
    const codes = sizedCodes(params, x, hp.k, state);
    const reconstruction = tf.add(topkDecode(params, codes), skip(params, x)) as Tensor2D;
    const step = { x, target, reconstruction };
    const error = normalisedError(target, reconstruction, state);
    const { total, nmse, aux } = withAuxk(error, params, step, state, hp, sizedAmong(state));
    return { total, parts: { nmse, aux }, codes, reconstruction };
  },
  toInference: (params, state) => ({ ...params, ...foldedEncoder(params, state) }),
  macs(shape, { k }) {
    const { encode, decode } = linearMacs(shape, k);
    return { encode: encode + shape.d_in * shape.d_out, decode };
  },
});
