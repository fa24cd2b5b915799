/**
 * @file Control: BatchTopK whose decoder stays at its random start; encoder and biases are trained. What it reaches, a trained
 * dictionary must beat. A third of BatchTopK's learning rate suits it better.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .260, L0 36.4 of 32
 * (off its target by 14 %). Its recipe was tuned on narrower ones.
 */
import { defineSae } from '../../harness/contract.ts';
import {
  batchTopkCodes,
  batchTopkDecode,
  batchTopkHyperparameters,
  batchTopkVariant,
} from './shared/batchtopk-codes.ts';
import { centredEncoder } from './shared/encoder.ts';
import { frozen } from './shared/frozen.ts';
import { learningRate } from './shared/learning-rate.ts';
import { checkK } from './shared/linear-parts.ts';
import { type TopkFamily, topkFamilyTraining } from './shared/topk-family.ts';
import { topkFamilyLoss } from './shared/topk-family-loss.ts';

export default defineSae<TopkFamily>({
  ...batchTopkVariant,
  id: 'frozen-decoder',
  title: 'Control: BatchTopK with a random decoder',
  paper: 'Korznikov et al. 2026, arXiv:2602.14111',
  version: 1,
  hyperparameters: batchTopkHyperparameters,
  validate: (shape, hp) => checkK('frozen-decoder', hp.k, shape, false),
  loss(trained, { x, target }, state, hp) {
    const params = frozen(trained, 'W_dec');
    const { codes, carry } = batchTopkCodes(centredEncoder(params), x, hp.k);
    const reconstruction = batchTopkDecode(params, codes);
    const { total, nmse, aux } = topkFamilyLoss(params, { x, target, reconstruction }, state, hp);
    return { total, parts: { nmse, aux }, carry, codes, reconstruction };
  },
  training: (shape, hp, run) => ({ ...topkFamilyTraining(shape, hp, run), lr: learningRate(1.5e-3, shape, run, 0.5) }),
  unitRows: () => [],
});
