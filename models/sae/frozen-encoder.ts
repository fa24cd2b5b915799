/**
 * @file Control: BatchTopK whose encoder, weights and biases, stays at its random start, so that which latents fire is
 * random; the decoder is trained. Its rows are free in length: with the codes fixed, only they can fit the scale.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .224 (.325 on training
 * rows). Its recipe was tuned on narrower ones.
 */
import { defineSae } from '../../harness/contract.ts';
import {
  batchTopkCodes,
  batchTopkDecode,
  batchTopkHyperparameters,
  batchTopkVariant,
} from './shared/batchtopk-codes.ts';
import { centredBias, linearEncoder, preActivations } from './shared/encoder.ts';
import { frozen } from './shared/frozen.ts';
import { learningRate } from './shared/learning-rate.ts';
import { checkK, foldDecoderNorms } from './shared/linear-parts.ts';
import { thresholdCodes } from './shared/threshold-codes.ts';
import { topkFamilyInit, topkFamilyTraining } from './shared/topk-family.ts';
import { normalisedError } from './shared/topk-family-loss.ts';

/** Nothing but the selection: no latent can be brought back. */
interface FrozenEncoderParameters {
  k: number;
}

export default defineSae<FrozenEncoderParameters>({
  ...batchTopkVariant,
  id: 'frozen-encoder',
  title: 'Control: BatchTopK with a random encoder',
  paper: 'Korznikov et al. 2026, arXiv:2602.14111',
  version: 1,
  hyperparameters: { k: batchTopkHyperparameters.k },
  validate: (shape, hp) => checkK('frozen-encoder', hp.k, shape, false),
  // The encoder is centred on the geometric median once and for all.
  init(shape, hp, env) {
    const { params, buffers } = topkFamilyInit(shape, hp, env);
    return { params: { ...params, b_enc: centredBias(params) }, buffers };
  },
  encode: (params, x) => thresholdCodes(preActivations(params, x, linearEncoder(params).bias), params['threshold']!),
  loss(trained, { x, target }, state, hp) {
    const params = frozen(trained, 'W_enc', 'b_enc');
    // b_dec is not subtracted, for it is trained.
    const { codes, carry } = batchTopkCodes(linearEncoder(params), x, hp.k);
    const reconstruction = batchTopkDecode(params, codes);
    const nmse = normalisedError(target, reconstruction, state);
    return { total: nmse, parts: { nmse }, carry, codes, reconstruction };
  },
  training: (shape, hp, run) => ({ ...topkFamilyTraining(shape, hp, run), lr: learningRate(1.5e-3, shape, run, 0.5) }),
  unitRows: () => [],
  beforeStep: (grads) => grads,
  toInference: (params, state) => foldDecoderNorms(batchTopkVariant.toInference(params, state)),
  toSaeLens(params) {
    const { cfg, ...exported } = batchTopkVariant.toSaeLens(params);
    return { ...exported, cfg: { ...cfg, apply_b_dec_to_input: false } };
  },
});
