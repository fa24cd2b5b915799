/**
 * @file VAEase: a variational autoencoder whose samples are gated by 1 − σ, so that each input switches its own latents off.
 *
 * The definition is that of vegetablest-dog/VAEase: z = μ + σ ε, x̂ = ((1 − σ) z) · W_dec + b_dec, and twice the negative evidence
 * bound, E‖x − x̂‖² / γ + d ln(2πγ) + Σ (σ² + μ² − ln σ² − 1), with γ learned: no weight of sparsity is to be chosen. A code
 * is (1 − σ) μ, signed, and 0 where σ² is at least `activeVariance`: what is left are the paper's active dimensions.
 *
 * State of tuning: the rate was chosen on the world of manifolds (1,950 steps of 512, 40 latents, encoder mlp: explained variance
 * .949, .996, .999 at 3e-3, 6e-3, 1.2e-2); twice as many latents as all manifolds have dimensions train much faster than barely
 * enough. On tiny-lm-planted (60,000 tokens, 64 latents) .675 with all latents and .483 with those below a variance of .05, TopK of 16 .741;
 * `diagonal` with 512 latents collapsed there.
 */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Rng,
  type SaeShape,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tf,
} from '../../harness/contract.ts';
import { squaredError } from '../../harness/kit/index.ts';
import { denseDecode } from './shared/encoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { toDense } from './shared/threshold-codes.ts';

interface Vaease {
  encoder: 'linear' | 'diagonal' | 'mlp';
  logGamma: number;
  activeVariance: number;
}

/** Smallest variance of a latent's posterior. */
const LEAST_VARIANCE = 1e-7;
/** Linear layers of the encoder `mlp`. */
const LAYERS = 4;

/** What the encoder says of a batch: mean μ, deviation σ and ln σ², [n, d_sae] each. */
interface Posterior {
  mean: Tensor2D;
  deviation: Tensor2D;
  logVariance: Tensor2D;
}

const linear = (x: Tensor2D, params: NamedTensors, name: string): Tensor2D =>
  tf.add(tf.matMul(x, params[`W_${name}`] as Tensor2D), params[`b_${name}`]!) as Tensor2D;

const swish = (x: Tensor2D): Tensor2D => tf.mul(x, tf.sigmoid(x));

function posterior(params: NamedTensors, x: Tensor2D, { encoder }: Vaease): Posterior {
  let hidden = linear(x, params, 'enc');
  for (let layer = 2; encoder === 'mlp' && layer <= LAYERS; layer++) {
    hidden = linear(swish(hidden), params, String(layer));
  }
  const [mean, rest] = tf.split(encoder === 'mlp' ? hidden : swish(hidden), 2, 1) as [Tensor2D, Tensor2D];
  const logVariance = encoder === 'mlp' ? (tf.minimum(rest, 0) as Tensor2D) : logVarianceOf(params, rest, encoder);
  return { mean, logVariance, deviation: tf.exp(tf.mul(logVariance, 0.5)) };
}

/** ln σ² of half of a linear encoder's units. */
function logVarianceOf(params: NamedTensors, hidden: Tensor2D, encoder: 'linear' | 'diagonal'): Tensor2D {
  const { W_sigma, b_sigma } = params as { W_sigma: Tensor2D; b_sigma: Tensor1D };
  const mapped = encoder === 'linear' ? tf.matMul(hidden, W_sigma) : tf.mul(hidden, W_sigma);
  return tf.log(tf.maximum(tf.sigmoid(tf.add(mapped, b_sigma)), LEAST_VARIANCE)) as Tensor2D;
}

const gate = ({ deviation }: Posterior): Tensor2D => tf.sub(1, deviation);

/** (1 − σ) μ where σ² is below `activeVariance`, else 0. */
function codesOf(found: Posterior, { activeVariance }: Vaease): Codes & { kind: 'dense' } {
  const active = tf.cast(tf.less(found.logVariance, Math.log(activeVariance)), 'float32');
  return { kind: 'dense', values: tf.mul(active, tf.mul(gate(found), found.mean)) };
}

/** Σ over latents of σ² + μ² − ln σ² − 1, the mean over inputs: twice the divergence from the prior. */
function divergence({ mean, logVariance }: Posterior): Scalar {
  const [n, d_sae] = mean.shape;
  const sum = tf.sum(tf.sub(tf.add(tf.exp(logVariance), tf.square(mean)), logVariance));
  return tf.sub(tf.div(sum, n), d_sae) as Scalar;
}

/** PyTorch's start of a linear layer: weights and biases uniform within 1 / √inputs. */
function layer(rng: Rng, name: string, inputs: number, outputs: number): NamedTensors {
  const bound = 1 / Math.sqrt(inputs);
  const uniform = (label: string, size: number) =>
    rng
      .fork(label)
      .fillUniform(new Float32Array(size))
      .map((value) => bound * (2 * value - 1));
  return {
    [`W_${name}`]: tf.tensor2d(uniform(`W ${name}`, inputs * outputs), [inputs, outputs]),
    [`b_${name}`]: tf.tensor1d(uniform(`b ${name}`, outputs)),
  };
}

function encoderStart({ d_in, d_sae }: SaeShape, { encoder }: Vaease, rng: Rng): NamedTensors {
  const width = 2 * d_sae;
  const first = layer(rng, 'enc', d_in, width);
  if (encoder === 'linear') return { ...first, ...layer(rng, 'sigma', d_sae, d_sae) };
  if (encoder === 'diagonal') return { ...first, W_sigma: tf.ones([d_sae]), b_sigma: tf.zeros([d_sae]) };
  const deeper = Array.from({ length: LAYERS - 1 }, (_, i) => layer(rng, String(i + 2), width, width));
  return Object.assign(first, ...deeper);
}

export default defineSae<Vaease>({
  id: 'vaease',
  title: 'VAEase',
  inference: 'every latent whose posterior variance is below activeVariance, without noise',
  paper: 'Lu et al. 2025, arXiv:2506.04859',
  version: 1,
  sparse: false,
  hyperparameters: {
    encoder: {
      enum: ['linear', 'diagonal', 'mlp'],
      default: 'linear',
      description:
        "linear: one layer, and a matrix [d_sae, d_sae] to σ, the authors' for language models; diagonal: a number a latent in that matrix's place; mlp: four layers, the authors' for manifolds.",
    },
    logGamma: {
      type: 'number',
      minimum: -20,
      maximum: 20,
      default: -2,
      description: 'ln γ at the start, γ the variance of the reconstruction in each dimension, at E‖x‖ = √d_in.',
    },
    activeVariance: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1,
      description:
        'A latent is active in an input where its posterior variance is below this; 1: wherever it says anything.',
    },
  },
  training: (shape, _hp, run) => ({ lr: learningRate(6e-3, shape, run, 0.5), clip: 0 }),
  init(shape, hp, { rng, targetSample }) {
    const { W_dec } = layer(rng, 'dec', shape.d_sae, shape.d_out);
    const b_dec = tf.mean(targetSample, 0);
    return { params: { ...encoderStart(shape, hp, rng), W_dec: W_dec!, b_dec, log_gamma: tf.scalar(hp.logGamma) } };
  },
  encode: (params, x, hp) => codesOf(posterior(params, x, hp), hp),
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  loss(params, { x, target }, state, hp) {
    const found = posterior(params, x, hp);
    const [n, d] = target.shape;
    const noise = tf.tensor2d(state.rng.fork('noise').fillNormal(new Float32Array(found.mean.size)), found.mean.shape);
    const sampled = tf.add(found.mean, tf.mul(found.deviation, noise));
    const reconstruction = denseDecode(params, tf.mul(gate(found), sampled));
    const mse = tf.div(squaredError(target, reconstruction), n) as Scalar;
    const kl = divergence(found);
    const logGamma = params['log_gamma'] as Scalar;
    const likelihood = tf.add(tf.div(mse, tf.exp(logGamma)), tf.mul(tf.add(logGamma, Math.log(2 * Math.PI)), d));
    const total = tf.add(likelihood, kl) as Scalar;
    return { total, parts: { mse, kl, logGamma: tf.clone(logGamma) }, codes: codesOf(found, hp), reconstruction };
  },
  // Signed codes in units of the prior: the encoder takes what the decoder gives back.
  foldScale: (params, scale) => ({
    ...params,
    W_enc: tf.mul(params['W_enc']!, scale),
    W_dec: tf.div(params['W_dec']!, scale),
    b_dec: tf.div(params['b_dec']!, scale),
    log_gamma: tf.sub(params['log_gamma']!, 2 * Math.log(scale)),
  }),
  directions: (params) => params['W_dec'] as Tensor2D,
  macs({ d_in, d_sae, d_out }, { encoder }) {
    const width = 2 * d_sae;
    const deeper = { linear: d_sae ** 2, diagonal: d_sae, mlp: (LAYERS - 1) * width ** 2 };
    return { encode: d_in * width + deeper[encoder], decode: d_sae * d_out };
  },
});
