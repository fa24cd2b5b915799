/** @file starter: an SAE that keeps the k largest latents of each input. Change `encode` and `loss` into your own. */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tf,
  UserError,
} from 'saxbench';
import { untracked } from 'saxbench/kit';

/** Hyper-parameters, as `--option starter.k=8` sets them. d_sae, lr, tokens and the like exist for every SAE. */
interface Options {
  k: number;
}

interface Params {
  W_enc: Tensor2D; // [d_in, d_sae]
  b_enc: Tensor1D; // [d_sae]
  W_dec: Tensor2D; // [d_sae, d_in]
  b_dec: Tensor1D; // [d_in]
}

/** x [n, d_in] → latents [n, d_sae], of which at most k are not 0. */
function encode(params: NamedTensors, x: Tensor2D, { k }: Options): Tensor2D {
  const { W_enc, b_enc, b_dec } = params as unknown as Params;
  const positive = tf.relu(tf.add(tf.matMul(tf.sub(x, b_dec), W_enc), b_enc)) as Tensor2D;
  // Which latents are kept is a constant for the gradient: it flows through the values of those that are.
  const kept = untracked(() => {
    const smallest = tf.slice(tf.topk(positive, k).values, [0, k - 1], [-1, 1]);
    return tf.cast(tf.greaterEqual(positive, smallest), 'float32');
  });
  return tf.mul(positive, kept);
}

/** latents [n, d_sae] → reconstruction [n, d_in]. */
function decode(params: NamedTensors, latents: Tensor2D): Tensor2D {
  const { W_dec, b_dec } = params as unknown as Params;
  return tf.add(tf.matMul(latents, W_dec), b_dec);
}

export default defineSae<Options>({
  id: 'starter', // as the file is named
  title: 'starter: the k largest latents of each input',
  version: 1, // raise it when the numbers change
  hyperparameters: {
    k: { type: 'integer', minimum: 1, default: 16, description: 'Latents kept for each input.' },
  },
  // What a schema cannot say, before anything is computed.
  validate({ d_sae }, { k }) {
    if (k > d_sae) throw new UserError(`starter: k: expected at most d_sae = ${d_sae}; found ${k}.`);
  },
  // The recipe; whatever a suite or --option says wins over it.
  training: () => ({ lr: 3e-3, lrWarmup: 0.05 }),
  // Start values: random unit rows, the encoder their transpose, the mean of the data as what is subtracted.
  init({ d_in, d_sae }, _options, { rng, sample }) {
    const random = tf.tensor2d(rng.fillNormal(new Float32Array(d_sae * d_in)), [d_sae, d_in]);
    const W_dec = tf.div(random, tf.norm(random, 2, 1, true));
    return { params: { W_dec, W_enc: tf.transpose(W_dec), b_enc: tf.zeros([d_sae]), b_dec: tf.mean(sample, 0) } };
  },
  encode: (params, x, options): Codes => ({ kind: 'dense', values: encode(params, x, options) }),
  decode: (params, codes) => decode(params, codes.values),
  // What training minimises; gradients are automatic. `parts` are shown beside it in the training curves.
  loss(params, { x, target }, _state, options) {
    const values = encode(params, x, options);
    const reconstruction = decode(params, values);
    const error = tf.mean(tf.squaredDifference(target, reconstruction));
    const variance = tf.mean(tf.squaredDifference(target, tf.mean(target, 0)));
    const nmse = tf.div(error, variance) as Scalar;
    return { total: nmse, parts: { nmse }, codes: { kind: 'dense', values }, reconstruction };
  },
  // The trainer keeps the rows of these at unit length.
  unitRows: () => ['W_dec'],
  // Training aims at this L0: a result that misses it by over 10 % is marked.
  targetL0: ({ k }) => k,
  // Decoder rows: what steering along a latent adds.
  directions: (params) => params['W_dec'] as Tensor2D,
  // Multiply-accumulates of a token.
  macs: ({ d_in, d_sae, d_out }, { k }) => ({ encode: d_in * d_sae, decode: k * d_out }),
});
