/**
 * @file Control: BatchTopK whose decoder rows stay near their random start; the rest is trained.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .400 (.464 on training
 * rows). Its recipe was tuned on narrower ones.
 */
import { defineSae, type Tensor2D, tf } from '../../harness/contract.ts';
import { unitNormRows } from '../../harness/kit/index.ts';
import {
  batchTopkCodes,
  batchTopkDecode,
  batchTopkHyperparameters,
  batchTopkVariant,
} from './shared/batchtopk-codes.ts';
import { centredEncoder } from './shared/encoder.ts';
import { checkK } from './shared/linear-parts.ts';
import { type TopkFamily, topkFamilyInit } from './shared/topk-family.ts';
import { topkFamilyLoss } from './shared/topk-family-loss.ts';

interface SoftFrozenParameters extends TopkFamily {
  minCosine: number;
}

/** Unit rows whose cosine with their start is below c move to the nearest unit rows at c: c·start + √(1 − c²)·perpendicular. */
function keepNear(rows: Tensor2D, start: Tensor2D, c: number): Tensor2D {
  const cosine = tf.sum(tf.mul(rows, start), 1, true);
  const perpendicular = unitNormRows(tf.sub(rows, tf.mul(start, cosine)) as Tensor2D);
  const edge = tf.add(tf.mul(start, c), tf.mul(perpendicular, Math.sqrt(1 - c * c)));
  return tf.where(tf.less(cosine, c), edge, rows) as Tensor2D;
}

export default defineSae<SoftFrozenParameters>({
  ...batchTopkVariant,
  id: 'soft-frozen-decoder',
  title: 'Control: BatchTopK with a decoder near its random start',
  paper: 'Korznikov et al. 2026, arXiv:2602.14111',
  version: 1,
  hyperparameters: {
    ...batchTopkHyperparameters,
    minCosine: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.8,
      description: 'Least cosine of each decoder row with its random start; a row that passes it is brought back.',
    },
  },
  validate: (shape, hp) => checkK('soft-frozen-decoder', hp.k, shape, false),
  init(shape, hp, env) {
    const { params, buffers } = topkFamilyInit(shape, hp, env);
    return { params, buffers: { ...buffers, start: tf.clone(params['W_dec']!) } };
  },
  loss(params, { x, target }, state, hp) {
    const { codes, carry } = batchTopkCodes(centredEncoder(params), x, hp.k);
    const reconstruction = batchTopkDecode(params, codes);
    const { total, nmse, aux } = topkFamilyLoss(params, { x, target, reconstruction }, state, hp);
    return { total, parts: { nmse, aux }, carry, codes, reconstruction };
  },
  afterStep(params, state, hp) {
    batchTopkVariant.afterStep(params, state);
    return { W_dec: keepNear(params['W_dec'] as Tensor2D, state.buffers['start'] as Tensor2D, hp.minCosine) };
  },
});
