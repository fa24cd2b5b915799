/**
 * @file Temporal SAE (T-SAE): Matryoshka BatchTopK with two groups, of which the first is held alike on neighbouring tokens.
 *
 * The definition is that of AI4LIFE-GROUP/temporal-saes: the contrast is on plain products without a temperature, what is
 * reconstructed is the token itself. Theirs has the flag off by default, the paper is the contrastive one: on here. Ours = theirs
 * · 2 / (d · variance) but for AuxK, which counts as in `batchtopk`. The name is not SAELens's `temporal`, another architecture.
 */
import {
  defineSae,
  type NamedTensors,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { rowLogSumExp, sparseDecode } from '../../harness/kit/index.ts';
import {
  type BatchTopkCodes,
  batchTopkCodes,
  batchTopkDecode,
  batchTopkHyperparameters,
  batchTopkVariant,
} from './shared/batchtopk-codes.ts';
import { centredEncoder } from './shared/encoder.ts';
import { checkK } from './shared/linear-parts.ts';
import { toDense } from './shared/threshold-codes.ts';
import type { TopkFamily } from './shared/topk-family.ts';
import { normalisedError, withAuxk } from './shared/topk-family-loss.ts';

interface Temporal extends TopkFamily {
  highLevel: number;
  highLevelWeight: number;
  temporalAlpha: number;
  contrastive: boolean;
}

type SparseCodes = BatchTopkCodes['codes'];

const highLevelWidth = ({ highLevel }: Temporal, d_sae: number) => Math.floor(highLevel * d_sae);

/** Values of codes of the first `width` latents; 0 for the others. */
const ofFirst = ({ indices, values }: SparseCodes, width: number) =>
  tf.mul(values, tf.cast(tf.less(indices, width), 'float32')) as Tensor2D;

/** The first `width` latents as [n, width]. */
function denseFirst(codes: SparseCodes, width: number): Tensor2D {
  // What lies beyond adds its 0 to the last latent.
  const indices = tf.minimum(codes.indices, tf.scalar(width - 1, 'int32')) as Tensor2D;
  return toDense({ kind: 'topk', indices, values: ofFirst(codes, width), d_sae: width });
}

/** Symmetric InfoNCE: each token's own predecessor among those of all, and the other way about. */
function contrast(now: Tensor2D, before: Tensor2D): Scalar {
  const products = tf.matMul(now, before, false, true) as Tensor2D;
  const own = tf.mean(tf.sum(tf.mul(now, before), 1));
  const rows = tf.mean(rowLogSumExp(products));
  const columns = tf.mean(rowLogSumExp(tf.transpose(products) as Tensor2D));
  return tf.sub(tf.mul(tf.add(rows, columns), 0.5), own) as Scalar;
}

/** The cosine of x and its predecessor times the distance of their codes. */
function distance(now: Tensor2D, before: Tensor2D, x: Tensor2D, previous: Tensor2D): Scalar {
  // torch's cosine_similarity has the same floor under each length.
  const length = (rows: Tensor2D) => tf.maximum(tf.norm(rows, 2, 1), 1e-8);
  const cosine = tf.div(tf.sum(tf.mul(x, previous), 1), tf.mul(length(x), length(previous)));
  return tf.mean(tf.mul(tf.sum(tf.abs(tf.sub(now, before)), 1), cosine)) as Scalar;
}

/** The token with x̂ of the first group alone. */
function highLevelDecode(params: NamedTensors, codes: SparseCodes, width: number): Tensor2D {
  const { W_dec, b_dec } = params as { W_dec: Tensor2D; b_dec: Tensor1D };
  return sparseDecode(ofFirst(codes, width), codes.indices, W_dec, b_dec, { activeOnly: true });
}

export default defineSae<Temporal>({
  ...batchTopkVariant,
  id: 'temporal',
  title: 'Temporal SAE (T-SAE)',
  paper: 'Bhalla et al. 2025, arXiv:2511.05541',
  version: 1,
  data: { previous: true },
  hyperparameters: {
    ...batchTopkHyperparameters,
    highLevel: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.2,
      description: 'Fraction of the latents in the first group, which neighbouring tokens are to share.',
    },
    highLevelWeight: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.2,
      description: "Weight of the first group's own reconstruction; the whole one has the rest.",
    },
    temporalAlpha: {
      type: 'number',
      minimum: 0,
      default: 0.1,
      description: 'Weight of the term between neighbouring tokens against the sum of squared errors.',
    },
    contrastive: {
      type: 'boolean',
      default: true,
      description: "true: InfoNCE among the batch's tokens; false: the codes' distance times the cosine of the tokens.",
    },
  },
  validate(shape, hp) {
    checkK('temporal', hp.k, shape, false);
    if (highLevelWidth(hp, shape.d_sae) >= 1) return;
    throw new UserError(
      `sae temporal: highLevel: expected at least one of d_sae = ${shape.d_sae} latents in the first group, found ${hp.highLevel}.`,
    );
  },
  loss(params, { x, target, previous }, state, hp) {
    const encoder = centredEncoder(params);
    const { codes, carry } = batchTopkCodes(encoder, x, hp.k);
    const before = batchTopkCodes(encoder, previous!, hp.k).codes;
    const width = highLevelWidth(hp, codes.d_sae);
    const reconstruction = batchTopkDecode(params, codes);
    const first = normalisedError(target, highLevelDecode(params, codes, width), state);
    const weight = hp.highLevelWeight;
    const whole = normalisedError(target, reconstruction, state);
    const errors = tf.add(tf.mul(first, weight), tf.mul(whole, 1 - weight)) as Scalar;
    const [f, g] = [denseFirst(codes, width), denseFirst(before, width)];
    const temporal = hp.contrastive ? contrast(f, g) : (tf.mul(distance(f, g, x, previous!), weight) as Scalar);
    const unit = x.shape[1] * state.buffers['variance']!.dataSync()[0]!;
    const together = tf.add(errors, tf.mul(temporal, (2 * hp.temporalAlpha) / unit)) as Scalar;
    const step = { x, target, reconstruction };
    const { total, aux } = withAuxk(together, params, step, state, hp);
    return { total, parts: { nmse: whole, first, temporal, aux }, carry, codes, reconstruction };
  },
});
