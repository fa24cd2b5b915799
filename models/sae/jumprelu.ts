/**
 * @file JumpReLU SAE: learned thresholds, an L0 penalty through straight-through pseudo-derivatives.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .665 at L0 29.5 of 32, the
 * best of those run, once thresholds move as fast as in narrow ones ({@link thresholdUnit}); before, .365 with λ at its bound.
 */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type TrainState,
  tf,
  UserError,
} from '../../harness/contract.ts';
import {
  jumpEncode,
  jumprelu,
  rowNorms,
  sparseDecode,
  squaredError,
  thresholdL0,
  untracked,
} from '../../harness/kit/index.ts';
import { deadIndices } from './shared/dead-indices.ts';
import { medianOf, randomDecoder, tiedEncoder } from './shared/decoder.ts';
import { denseDecode, linearEncoder, preActivations } from './shared/encoder.ts';
import { type FewActive, fewActive } from './shared/few-active.ts';
import { learningRate } from './shared/learning-rate.ts';
import { foldDecoderNorms, saeLensTensors } from './shared/linear-parts.ts';
import { type Penalised, penalisedVariant, penaltyHyperparameters } from './shared/penalised.ts';
import { adjustSparsity, checkTarget, sparsityFactor, sparsityTargetHyperparameter } from './shared/sparsity-target.ts';
import { startThreshold } from './shared/start-threshold.ts';
import { thresholdCodes } from './shared/threshold-codes.ts';
import { warmup } from './shared/warmup.ts';

interface JumpReluParameters extends Penalised {
  penalty: 'step' | 'quadratic' | 'tanh';
  bandwidth: number;
  thresholdInit: number | null;
  preActCoefficient: number;
}

/** Anthropic's steepness in Σ tanh(c · f_i ‖d_i‖). */
const TANH_STEEPNESS = 4;

/**
 * Length of the decoder and encoder rows at the start. They are free to grow: L0 does not depend on them, and held at unit
 * length they explain .02 to .03 less of data with a known dictionary. From 0.1, SAELens's start, a kernel of width 1 spans all
 * that a latent can be, and L0 is hard to steer at low rates.
 */
const START_NORM = 0.5;

/** Width of the dictionary from which on thresholds are trained in larger units. */
const WIDE = 512;

/**
 * Units of the thresholds in training. Rates fall as 1 / √d_sae, and with them would fall how far a threshold can move in a run,
 * which is the same way at any width: at 12,288 latents and 390 steps L0 came from 154 to 36 only while λ rose to its bound,
 * and explained variance fell from .57 to .37.
 */
const thresholdUnit = (d_sae: number) => Math.max(1, Math.sqrt(d_sae / WIDE));

/** Training's parameters with thresholds as pre-activations meet them. */
const withThresholds = (params: NamedTensors): NamedTensors => ({
  ...params,
  threshold: tf.mul(params['threshold']!, thresholdUnit(params['threshold']!.size)),
});

/** W_enc^T x + b_enc: b_dec is not subtracted at the input. */
const preActs = (params: NamedTensors, x: Tensor2D) => preActivations(params, x, params['b_enc'] as Tensor1D);

/** Mean over the batch of each latent, as a row [1, d_sae], by a product that no [n, d_sae] intermediate follows. */
const batchMean = (values: Tensor2D) =>
  tf.matMul(tf.fill([1, values.shape[0]], 1 / values.shape[0]) as Tensor2D, values);

/** What a batch gives. z, values, thresholds and norms are [n, m] or broadcast to it: m is d_sae, or as many as matter. */
interface Encoded {
  z: Tensor2D;
  values: Tensor2D;
  thresholds: Tensor1D | Tensor2D;
  /** Of the decoder rows. */
  norms(): Tensor;
  codes: Codes;
  reconstruction: Tensor2D;
}

function encodeDense(params: NamedTensors, x: Tensor2D, hp: JumpReluParameters): Encoded {
  const thresholds = params['threshold'] as Tensor1D;
  const { z, values } = jumpEncode(x, linearEncoder(params), thresholds, hp.bandwidth);
  const norms = () => tf.reshape(rowNorms(params['W_dec'] as Tensor2D), [1, z.shape[1]]);
  return {
    z,
    values,
    thresholds,
    norms,
    codes: { kind: 'dense', values },
    reconstruction: denseDecode(params, values),
  };
}

/** Far below any threshold: where a row has fewer pre-activations that matter than another. */
const NOTHING = -1e30;

/** Only the pre-activations above θ − ε/2: those below have neither a value nor a gradient. None while they are many. */
function encodeSparse(
  params: NamedTensors,
  x: Tensor2D,
  state: TrainState,
  hp: JumpReluParameters,
): { encoded?: Encoded; carry: FewActive['carry'] } {
  const { W_enc, W_dec } = params as { W_enc: Tensor2D; W_dec: Tensor2D };
  const floor = untracked(() => tf.sub(params['threshold']!, hp.bandwidth / 2) as Tensor1D);
  const { few, carry } = fewActive(x, { W_enc, bias: tf.sub(params['b_enc']!, floor) as Tensor1D }, state);
  if (!few) return { carry };
  const { indices } = few;
  const offset = untracked(() => tf.where(tf.greater(few.values, 0), tf.gather(floor, indices), NOTHING) as Tensor);
  const z = tf.add(few.values, offset) as Tensor2D;
  const thresholds = tf.gather(params['threshold'] as Tensor1D, indices) as Tensor as Tensor2D;
  const values = jumprelu(z, thresholds, hp.bandwidth);
  const norms = () => tf.gather(tf.squeeze(rowNorms(W_dec), [1]), indices);
  const reconstruction = sparseDecode(values, indices, W_dec, params['b_dec'] as Tensor1D);
  const codes: Codes = { kind: 'topk', indices, values, d_sae: W_dec.shape[0] };
  return { encoded: { z, values, thresholds, norms, codes, reconstruction }, carry };
}

/** The sparsity term before its coefficient. */
function penaltyOf({ z, values, thresholds, norms }: Encoded, hp: JumpReluParameters): Scalar {
  if (hp.penalty === 'tanh') {
    return tf.sum(batchMean(tf.tanh(tf.mul(tf.mul(values, norms()), TANH_STEEPNESS)) as Tensor2D)) as Scalar;
  }
  const l0 = thresholdL0(z, thresholds, hp.bandwidth);
  if (hp.penalty === 'step') return l0;
  return tf.square(tf.sub(tf.div(l0, hp.targetL0!), 1)) as Scalar;
}

/** Σ over dead latents of ReLU(θ − z)·‖d‖, mean over the batch: brings back latents that never reach their threshold. */
function preActLoss(params: NamedTensors, x: Tensor2D, state: TrainState): Scalar {
  const dead = deadIndices(state);
  const of = (name: string) => tf.gather(params[name] as Tensor1D, dead);
  const z = preActivations({ W_enc: tf.gather(params['W_enc'] as Tensor2D, dead, 1) }, x, of('b_enc'));
  const short = batchMean(tf.relu(tf.sub(of('threshold'), z)) as Tensor2D);
  const norms = rowNorms(tf.gather(params['W_dec'] as Tensor2D, dead));
  return tf.sum(tf.matMul(short, norms)) as Scalar;
}

export default defineSae<JumpReluParameters>({
  ...penalisedVariant,
  id: 'jumprelu',
  title: 'JumpReLU SAE',
  inference: 'each latent above its own trained threshold',
  paper: 'Rajamanoharan et al. 2024, arXiv:2407.14435',
  version: 4,
  hyperparameters: {
    penalty: {
      enum: ['step', 'quadratic', 'tanh'],
      default: 'step',
      description:
        "'step': λ·L0 (the paper); 'quadratic': λ·(L0/targetL0 − 1)² (dictionary_learning); " +
        "'tanh': λ·Σ tanh(4·f·‖d‖) (Anthropic, January 2025).",
    },
    lambda: { type: 'number', minimum: 0, default: 1, description: 'Weight λ of the penalty.' },
    lambdaWarmup: { ...penaltyHyperparameters.lambdaWarmup, default: 0.1 },
    bandwidth: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
      description: 'Width ε of the kernel, at E‖x‖ = √d_in. The paper has 0.001·√d_in here, for 10^9 tokens.',
    },
    thresholdInit: {
      type: ['number', 'null'],
      exclusiveMinimum: 0,
      default: null,
      description:
        'Start of every threshold, at E‖x‖ = √d_in and encoder rows of length 0.5; the paper has 0.001·√d_in here. null: where six times targetL0 are active at the start.',
    },
    preActCoefficient: {
      type: 'number',
      minimum: 0,
      default: 0.03,
      description: 'Weight of Σ ReLU(θ − z)·‖d‖ over dead latents; 3e-6 in the tanh recipe, for 10^9 tokens.',
    },
    ...sparsityTargetHyperparameter,
  },
  validate(shape, hp) {
    checkTarget('jumprelu', hp.targetL0, shape.d_sae);
    if (hp.penalty === 'quadratic' && hp.targetL0 === null) {
      throw new UserError("sae jumprelu: penalty 'quadratic' needs targetL0: expected a number, found null.");
    }
  },
  // θ itself is trained, not its logarithm, which Adam barely moves (SAELens issue 494).
  training: (shape, _hp, run) => ({ lr: learningRate(4e-3, shape, run, 0.6), beta1: 0, normalise: 'mean-norm' }),
  init(shape, hp, { rng, sample, targetSample }) {
    const W_dec = randomDecoder(shape, rng, START_NORM);
    const W_enc = tiedEncoder(W_dec, shape, rng, START_NORM);
    const threshold = hp.thresholdInit ?? startThreshold(sample, W_enc, hp.targetL0);
    return {
      params: {
        ...{ W_dec, W_enc, b_enc: tf.zeros([shape.d_sae]), b_dec: medianOf(targetSample) },
        threshold: tf.fill([shape.d_sae], threshold / thresholdUnit(shape.d_sae)),
      },
    };
  },
  encode: (params, x) => thresholdCodes(preActs(params, x), params['threshold']!),
  loss(trained, { x, target }, state, hp) {
    const params = withThresholds(trained);
    const { encoded: few, carry } = encodeSparse(params, x, state, hp);
    const encoded = few ?? encodeDense(params, x, hp);
    const { codes, reconstruction } = encoded;
    const mse = tf.div(squaredError(target, reconstruction), target.shape[0]) as Scalar;
    const sparsity = penaltyOf(encoded, hp);
    const factor = hp.penalty === 'quadratic' ? 1 : sparsityFactor(state, hp.targetL0);
    const lambda = hp.lambda * warmup(state, hp.lambdaWarmup) * factor;
    const parts: Record<string, Scalar> = { mse, sparsity };
    let total = tf.add(mse, tf.mul(sparsity, lambda)) as Scalar;
    if (hp.preActCoefficient > 0 && state.deadCount > 0) {
      parts['preAct'] = preActLoss(params, x, state);
      total = tf.add(total, tf.mul(parts['preAct'], hp.preActCoefficient));
    }
    return { total, parts, carry, codes, reconstruction };
  },
  afterStep(params, state, hp): NamedTensors {
    if (hp.penalty !== 'quadratic') adjustSparsity(state, hp.targetL0);
    return { threshold: tf.maximum(params['threshold']!, 1e-6) };
  },
  toInference: (params) => foldDecoderNorms(withThresholds(params)),
  toSaeLens: (params) => ({
    architecture: 'jumprelu',
    cfg: { apply_b_dec_to_input: false },
    tensors: { ...saeLensTensors(params), threshold: params['threshold']! },
  }),
});
