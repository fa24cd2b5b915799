/** @file ReLU SAE with an L1 penalty, after Anthropic's April 2024 recipe. */
import { type Codes, defineSae, type Scalar, type Tensor2D, tf } from '../../harness/contract.ts';
import { squaredError } from '../../harness/kit/index.ts';
import { linearMacs } from './shared/cost.ts';
import { medianOf, randomDecoder, tiedEncoder } from './shared/decoder.ts';
import { denseDecode } from './shared/encoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { foldBiases, foldDecoderNorms, saeLensTensors } from './shared/linear-parts.ts';
import { reluDecoded, reluEncode } from './shared/relu-codes.ts';
import {
  adjustSparsity,
  checkTarget,
  DECLINING,
  decliningTarget,
  type SparsityTarget,
  sparsityControllers,
  sparsityFactor,
  sparsityTargetHyperparameter,
} from './shared/sparsity-target.ts';
import { toDense } from './shared/threshold-codes.ts';
import { warmup } from './shared/warmup.ts';

interface ReluParameters extends SparsityTarget {
  lambda: number;
  lambdaWarmup: number;
}

export default defineSae<ReluParameters>({
  id: 'relu',
  title: 'ReLU SAE with L1 penalty (April 2024 recipe)',
  inference: 'every latent with a positive pre-activation',
  paper: 'Conerly et al. 2024, transformer-circuits.pub/2024/april-update',
  version: 2,
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
  // A rate that rose as fast on shorter runs as the others' would leave a fifth of the latents silent there.
  training: (shape, _hp, run) => ({ lr: learningRate(9e-3, shape, run, 0.7, 0.1), clip: 1, normalise: 'mean-norm' }),
  init(shape, _hp, { rng, targetSample }) {
    const W_dec = randomDecoder(shape, rng, 0.1);
    const params = { W_dec, W_enc: tiedEncoder(W_dec, shape, rng, 0.1) };
    return { params: { ...params, b_enc: tf.zeros([shape.d_sae]), b_dec: medianOf(targetSample) } };
  },
  encode: (params, x): Codes => ({ kind: 'dense', values: reluEncode(params, x) }),
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  loss(params, { x, target }, state, hp) {
    const { codes, reconstruction, l1, carry } = reluDecoded(params, x, state);
    const mse = tf.div(squaredError(target, reconstruction), target.shape[0]) as Scalar;
    const lambda =
      hp.lambda * warmup(state, hp.lambdaWarmup) * sparsityFactor(state, decliningTarget(state, hp.targetL0));
    return { total: tf.add(mse, tf.mul(l1, lambda)), parts: { mse, l1 }, carry, codes, reconstruction };
  },
  afterStep(_params, state, hp) {
    adjustSparsity(state, decliningTarget(state, hp.targetL0), DECLINING);
    return {};
  },
  targetL0: (hp) => hp.targetL0,
  controllers: (scalars, hp) => sparsityControllers(scalars, hp.targetL0),
  toInference: foldDecoderNorms,
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  macs: (shape, hp) => linearMacs(shape, hp.targetL0),
  toSaeLens: (params) => ({
    architecture: 'standard',
    cfg: { apply_b_dec_to_input: false },
    tensors: saeLensTensors(params),
  }),
});
