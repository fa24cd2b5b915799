/** @file ReLU SAE with an L1 penalty, after Anthropic's April 2024 recipe. */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tf,
} from '../../harness/contract.ts';
import { rowNorms, sparseDecode, squaredError, type TopkCodes } from '../../harness/kit/index.ts';
import { linearMacs } from './shared/cost.ts';
import { medianOf, randomDecoder, tiedEncoder } from './shared/decoder.ts';
import { denseDecode } from './shared/encoder.ts';
import { fewActive } from './shared/few-active.ts';
import { learningRate } from './shared/learning-rate.ts';
import { foldBiases, foldDecoderNorms, saeLensTensors } from './shared/linear-parts.ts';
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

/** ReLU(W_enc^T x + b_enc): b_dec is not subtracted at the input. */
const encode = (params: NamedTensors, x: Tensor2D): Tensor2D =>
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
  encode: (params, x): Codes => ({ kind: 'dense', values: encode(params, x) }),
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  loss(params, { x, target }, state, hp) {
    const encoder = { W_enc: params['W_enc'] as Tensor2D, bias: params['b_enc'] as Tensor1D };
    const { few, carry } = fewActive(x, encoder, state);
    const { codes, reconstruction, l1 } = few ? decodeSparse(params, few) : decodeDense(params, encode(params, x));
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
