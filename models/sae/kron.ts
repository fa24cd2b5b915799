/**
 * @file KronSAE: latents composed within heads from two small encoders, so that encoding costs 1/m + 1/n of TopK's.
 *
 * Head t has m base and n extension factors, u = W_baseᵀ (x − b_dec) and v = W_extensionᵀ (x − b_dec); latent t·m·n + i·n + j is
 * mAND(u_i, v_j) = √(u_i · v_j) where both are above 0, else 0; TopK over all latents; an ordinary decoder. The paper's encoder has
 * no bias, and does not say whether x is centred; here it is, as in the TopK family. Loss and AuxK are that family's.
 *
 * Tuned by the suite switch-kron-sweep, one seed: the TopK family's learning rate is the best of those tried; larger ones lower L0
 * below k. Held-out EV beside TopK's .909: .896 with heads of 2 · 4, .875 with 4 · 8.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .594 and still rising (TopK
 * .585).
 */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Rng,
  type SaeShape,
  type Tensor1D,
  type Tensor2D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { type Heads, type KronEncoder, kronTopkEncode, unitNormRows } from '../../harness/kit/index.ts';
import { medianOf, randomDecoder } from './shared/decoder.ts';
import { checkK, foldBiases } from './shared/linear-parts.ts';
import { topkDecode } from './shared/topk-codes.ts';
import { topkFamilyHyperparameters, topkFamilyTraining, topkHyperparameter } from './shared/topk-family.ts';
import { normalisedError, withAuxk } from './shared/topk-family-loss.ts';
import { sampleVariance } from './shared/variance.ts';

interface Kron {
  k: number;
  auxAlpha: number;
  auxK: number | null;
  m: number;
  n: number;
  heads: number | null;
}

const headsOf = ({ d_sae }: Pick<SaeShape, 'd_sae'>, { m, n, heads }: Kron): Heads => ({
  heads: heads ?? d_sae / (m * n),
  m,
  n,
});

function encoderOf(params: NamedTensors): KronEncoder {
  const { W_base, W_extension, b_dec } = params as { W_base: Tensor2D; W_extension: Tensor2D; b_dec: Tensor1D };
  return { W_base, W_extension, centre: b_dec };
}

function encode(params: NamedTensors, x: Tensor2D, hp: Kron): Codes & { kind: 'topk' } {
  const d_sae = params['W_dec']!.shape[0]!;
  return { kind: 'topk', ...kronTopkEncode(x, encoderOf(params), headsOf({ d_sae }, hp), hp.k), d_sae };
}

function validate(shape: SaeShape, hp: Kron): void {
  const { d_sae } = shape;
  const { m, n, heads } = hp;
  if (heads === null && d_sae % (m * n) !== 0) {
    throw new UserError(
      `sae kron: m, n: expected m · n to divide d_sae = ${d_sae}, found ${m} · ${n} = ${m * n}; change m, n or d_sae.`,
    );
  }
  if (heads !== null && heads * m * n !== d_sae) {
    throw new UserError(
      `sae kron: heads: expected heads · m · n = d_sae = ${d_sae}, found ${heads} · ${m} · ${n} = ${heads * m * n}; ` +
        'leave heads out, or change m, n or d_sae.',
    );
  }
  checkK('kron', hp.k, shape, true);
}

/** A matrix [rows, width] of random directions. */
const directions = (rows: number, width: number, rng: Rng): Tensor2D =>
  randomDecoder({ d_in: width, d_sae: rows, d_out: width }, rng, 1);

export default defineSae<Kron>({
  id: 'kron',
  title: 'KronSAE',
  inference: 'the k largest roots of products of positive base and extension factors of a head',
  paper: 'Kurochkin et al. 2025, arXiv:2505.22255',
  version: 1,
  hyperparameters: {
    k: topkHyperparameter,
    auxAlpha: topkFamilyHyperparameters.auxAlpha,
    auxK: topkFamilyHyperparameters.auxK,
    m: { type: 'integer', minimum: 1, default: 2, description: 'Base factors of a head.' },
    n: { type: 'integer', minimum: 1, default: 4, description: 'Extension factors of a head.' },
    heads: {
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
      description: 'Heads, of m · n latents each; null: d_sae / (m · n).',
    },
  },
  validate,
  training: topkFamilyTraining,
  init(shape, hp, { rng, sample }) {
    const { heads, m, n } = headsOf(shape, hp);
    const { d_in, d_out } = shape;
    const base = directions(heads * m, d_in, rng.fork('base'));
    const extension = directions(heads * n, d_in, rng.fork('extension'));
    // The decoder's start is that of the paper: P_i + Q_j of each latent, here of unit length.
    const sums = tf.add(tf.reshape(base, [heads, m, 1, d_in]), tf.reshape(extension, [heads, 1, n, d_in]));
    const W_dec =
      d_in === d_out ? unitNormRows(tf.reshape(sums, [shape.d_sae, d_in]) as Tensor2D) : randomDecoder(shape, rng, 1);
    return {
      params: { W_base: tf.transpose(base), W_extension: tf.transpose(extension), W_dec, b_dec: medianOf(sample) },
      buffers: { variance: sampleVariance(sample) },
    };
  },
  encode,
  decode: topkDecode,
  loss(params, { x, target }, state, hp) {
    const codes = encode(params, x, hp);
    const reconstruction = topkDecode(params, codes);
    const step = { x, target, reconstruction };
    const error = normalisedError(target, reconstruction, state);
    // The kernel takes the dead latents as flags.
    const { total, nmse, aux } = withAuxk(error, params, step, state, hp, (own, rows, k) =>
      kronTopkEncode(rows, encoderOf(own), headsOf(codes, hp), k, state.dead),
    );
    return { total, parts: { nmse, aux }, codes, reconstruction };
  },
  targetL0: (hp) => hp.k,
  unitRows: () => ['W_dec'],
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  macs: (shape, hp) => {
    const { heads, m, n } = headsOf(shape, hp);
    return { encode: shape.d_in * heads * (m + n) + shape.d_sae, decode: hp.k * shape.d_out };
  },
});
