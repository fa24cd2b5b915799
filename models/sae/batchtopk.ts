/** @file BatchTopK SAE: k latents an input on average, chosen over the whole batch; a threshold at inference. */
import { defineSae } from '../../harness/contract.ts';
import {
  batchTopkCodes,
  batchTopkDecode,
  batchTopkHyperparameters,
  batchTopkVariant,
} from './shared/batchtopk-codes.ts';
import { centredEncoder } from './shared/encoder.ts';
import { checkK } from './shared/linear-parts.ts';
import type { TopkFamily } from './shared/topk-family.ts';
import { topkFamilyLoss } from './shared/topk-family-loss.ts';

export default defineSae<TopkFamily>({
  ...batchTopkVariant,
  id: 'batchtopk',
  title: 'BatchTopK SAE',
  paper: 'Bussmann, Leask & Nanda 2024, arXiv:2412.06410',
  version: 3,
  hyperparameters: batchTopkHyperparameters,
  validate: (shape, hp) => checkK('batchtopk', hp.k, shape, false),
  loss(params, { x, target }, state, hp) {
    const { codes, carry } = batchTopkCodes(centredEncoder(params), x, hp.k);
    const reconstruction = batchTopkDecode(params, codes);
    const { total, nmse, aux } = topkFamilyLoss(params, { x, target, reconstruction }, state, hp);
    return { total, parts: { nmse, aux }, carry, codes, reconstruction };
  },
});
