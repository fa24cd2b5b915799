/**
 * @file Transcoder: reads one site and reconstructs another of the same positions, as an MLP's output from its input.
 *
 * ReLU and L1, as in the paper and in SAELens: f = ReLU(W_enc^T x + b_enc), ŷ = f W_dec + b_dec. The penalty is weighted by decoder
 * norms, which is the paper's at rows of unit length, and both terms are in units of the target's variance v:
 * ‖y − ŷ‖² / v + λ Σ f ‖d‖ / √v, so that λ means the same whatever the size of the target.
 */
import { type Codes, defineSae, type Scalar, type Tensor2D, tf } from '../../harness/contract.ts';
import { squaredError } from '../../harness/kit/index.ts';
import { lambdaAt, type Penalised, penaltyHyperparameters } from './shared/centred-relu.ts';
import { linearMacs } from './shared/cost.ts';
import { centringBias, freeEncoder, randomDecoder } from './shared/decoder.ts';
import { denseDecode } from './shared/encoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { foldBiases, foldDecoderNorms, saeLensTensors } from './shared/linear-parts.ts';
import { reluDecoded, reluEncode } from './shared/relu-codes.ts';
import {
  adjustSparsity,
  checkTarget,
  DECLINING,
  decliningTarget,
  sparsityControllers,
} from './shared/sparsity-target.ts';
import { toDense } from './shared/threshold-codes.ts';
import { sampleVariance } from './shared/variance.ts';

export default defineSae<Penalised>({
  id: 'transcoder',
  title: 'Transcoder (ReLU)',
  inference: 'every latent with a positive pre-activation',
  paper: 'Dunefsky, Chlenski & Nanda 2024, arXiv:2406.11944',
  version: 1,
  data: { target: 'other-site' },
  hyperparameters: penaltyHyperparameters,
  validate: (shape, hp) => checkTarget('transcoder', hp.targetL0, shape.d_sae),
  training: (shape, _hp, run) => ({ lr: learningRate(2e-3, shape, run, 0.7), clip: 1, normalise: 'mean-norm' }),
  init(shape, _hp, { rng, sample, targetSample }) {
    const W_dec = randomDecoder(shape, rng, 0.1);
    // Encoder and decoder speak of different sites: the one is no transpose of the other.
    const W_enc = freeEncoder(shape, rng, 0.1);
    return {
      params: {
        W_dec,
        W_enc,
        b_enc: centringBias(sample, W_enc),
        b_dec: tf.mean(targetSample, 0),
      },
      buffers: { variance: sampleVariance(targetSample) },
    };
  },
  encode: (params, x): Codes => ({ kind: 'dense', values: reluEncode(params, x) }),
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  loss(params, { x, target }, state, hp) {
    const { codes, reconstruction, l1: sum, carry } = reluDecoded(params, x, state);
    const variance = state.buffers['variance']!.dataSync()[0]!;
    const mse = tf.div(squaredError(target, reconstruction), target.shape[0] * variance) as Scalar;
    const l1 = tf.div(sum, Math.sqrt(variance)) as Scalar;
    return { total: tf.add(mse, tf.mul(l1, lambdaAt(state, hp))), parts: { mse, l1 }, carry, codes, reconstruction };
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
    architecture: 'transcoder',
    cfg: { d_out: params['W_dec']!.shape[1], apply_b_dec_to_input: false },
    tensors: saeLensTensors(params),
  }),
});
