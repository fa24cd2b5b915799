/**
 * @file AbsTopK SAE: the k pre-activations of largest modulus with their signs, so that a latent has two directions. Where
 * features have one sign it explains less than TopK, here as in SAELens (EV .71 and .75 on the data of npm run perf:synthetic): what
 * another feature pushes below 0 takes places.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .522 (TopK .585).
 */
import { type Codes, defineSae, type NamedTensors, type Tensor2D } from '../../harness/contract.ts';
import { absTopkEncode } from '../../harness/kit/index.ts';
import type { CodesAmong } from './shared/auxk.ts';
import { centredEncoder } from './shared/encoder.ts';
import { checkK, saeLensTensors } from './shared/linear-parts.ts';
import { topkDecode, topkVariant } from './shared/topk-codes.ts';
import { type TopkFamily, topkFamilyHyperparameters, topkHyperparameter } from './shared/topk-family.ts';
import { normalisedError, withAuxk } from './shared/topk-family-loss.ts';

const { deadBias: _, ...options } = topkFamilyHyperparameters;

const codesAmong: CodesAmong = (params, x, k, among) => absTopkEncode(x, centredEncoder(params), k, among);

const encode = (params: NamedTensors, x: Tensor2D, k: number): Codes & { kind: 'topk' } => ({
  kind: 'topk',
  ...absTopkEncode(x, centredEncoder(params), k),
  d_sae: params['W_enc']!.shape[1]!,
});

export default defineSae<Omit<TopkFamily, 'deadBias'>>({
  ...topkVariant,
  id: 'abstopk',
  title: 'AbsTopK SAE with AuxK (signed codes)',
  inference: 'the k pre-activations of largest modulus of each input, with their signs',
  paper: 'Zhu et al. 2025, arXiv:2510.00404',
  version: 1,
  sparse: false,
  hyperparameters: {
    k: topkHyperparameter,
    ...options,
    // At the usual 1/32 AuxK moves dead latents without bringing them back: 61 % of 256 stay silent, of this 3 %.
    auxAlpha: { ...options.auxAlpha, default: 0.25 },
  },
  validate: (shape, hp) => checkK('abstopk', hp.k, shape, true),
  encode: (params, x, hp) => encode(params, x, hp.k),
  loss(params, { x, target }, state, hp) {
    const codes = encode(params, x, hp.k);
    const reconstruction = topkDecode(params, codes);
    const step = { x, target, reconstruction };
    const error = normalisedError(target, reconstruction, state);
    const { total, nmse, aux } = withAuxk(error, params, step, state, hp, codesAmong);
    return { total, parts: { nmse, aux }, codes, reconstruction };
  },
  // A bias that rises brings only one sign of a latent back.
  beforeStep: (grads) => grads,
  toSaeLens: (params, hp) => ({
    architecture: 'abstopk',
    cfg: { k: hp.k, apply_b_dec_to_input: true, rescale_acts_by_decoder_norm: false },
    tensors: saeLensTensors(params),
  }),
});
