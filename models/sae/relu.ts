/** @file ReLU SAE with an L1 penalty, after Anthropic's April 2024 recipe. */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  rowNorms,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tf,
} from '../../harness/contract.ts';
import { medianOf, randomDecoder, tiedEncoder } from './shared/decoder.ts';
import { denseDecode, preActivations } from './shared/encoder.ts';
import { foldBiases, foldDecoderNorms, saeLensTensors } from './shared/linear-parts.ts';
import {
  adjustSparsity,
  checkTarget,
  type SparsityTarget,
  sparsityFactor,
  sparsityTargetHyperparameter,
} from './shared/sparsity-target.ts';
import { toDense } from './shared/threshold-codes.ts';
import { warmup } from './shared/warmup.ts';

interface ReluParameters extends SparsityTarget {
  lambda: number;
  lambdaWarmup: number;
}

/** ReLU(W_enc^T x + b_enc): b_dec is not subtracted at the input. */
const encode = (params: NamedTensors, x: Tensor2D) => tf.relu(preActivations(params, x, params['b_enc'] as Tensor1D));

/** mean over inputs of Σ_i f_i ‖d_i‖, with the mean taken first: no [n, d_sae] product. */
function weightedL1(params: NamedTensors, values: Tensor2D): Scalar {
  const average = tf.matMul(tf.fill([1, values.shape[0]], 1 / values.shape[0]) as Tensor2D, values);
  return tf.sum(tf.matMul(average, rowNorms(params['W_dec'] as Tensor2D))) as Scalar;
}

export default defineSae<ReluParameters>({
  id: 'relu',
  title: 'ReLU SAE with L1 penalty (April 2024 recipe)',
  inference: 'every latent with a positive pre-activation',
  paper: 'Conerly et al. 2024, transformer-circuits.pub/2024/april-update',
  version: 1,
  hyperparameters: {
    lambda: { type: 'number', minimum: 0, default: 5, description: 'Weight λ of Σ f·‖d‖, at E‖x‖ = √d_in.' },
    lambdaWarmup: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.05,
      description: 'Fraction of the steps over which λ rises from 0.',
    },
    ...sparsityTargetHyperparameter,
  },
  validate: (shape, hp) => checkTarget('relu', hp.targetL0, shape.d_sae),
  // The published 5e-5 is for 10^5 steps and more; runs of about 10^3, this project's default, need a larger one.
  training: () => ({ lr: 3e-3, clip: 1, lrDecay: 'linear', lrDecayFraction: 0.2, normalise: 'mean-norm' }),
  init(shape, _hp, { rng, targetSample }) {
    const W_dec = randomDecoder(shape, rng, 0.1);
    const params = { W_dec, W_enc: tiedEncoder(W_dec, shape, rng, 0.1) };
    return { params: { ...params, b_enc: tf.zeros([shape.d_sae]), b_dec: medianOf(targetSample) } };
  },
  encode: (params, x): Codes => ({ kind: 'dense', values: encode(params, x) }),
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  loss(params, { x, target }, state, hp) {
    const values = encode(params, x);
    const reconstruction = denseDecode(params, values);
    const mse = tf.mean(tf.sum(tf.squaredDifference(target, reconstruction), 1)) as Scalar;
    const lambda = hp.lambda * warmup(state, hp.lambdaWarmup) * sparsityFactor(state, hp.targetL0);
    const l1 = weightedL1(params, values);
    return {
      total: tf.add(mse, tf.mul(l1, lambda)),
      parts: { mse, l1 },
      codes: { kind: 'dense', values },
      reconstruction,
    };
  },
  afterStep(_params, state, hp) {
    adjustSparsity(state, hp.targetL0);
    return {};
  },
  toInference: foldDecoderNorms,
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  toSaeLens: (params) => ({
    architecture: 'standard',
    cfg: { apply_b_dec_to_input: false },
    tensors: saeLensTensors(params),
  }),
});
