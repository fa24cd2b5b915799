/** @file TopK SAE with AuxK: at most k latents an input. */
import { type Codes, defineSae, type NamedTensors, type Tensor1D, type Tensor2D } from '../../harness/contract.ts';
import { sparseDecode, topkEncode } from '../../harness/kit/index.ts';
import { linearMacs } from './shared/cost.ts';
import { centredEncoder, denseDecode } from './shared/encoder.ts';
import { checkK, foldBiases, saeLensTensors } from './shared/linear-parts.ts';
import {
  raiseDeadBiases,
  type TopkFamily,
  topkFamilyHyperparameters,
  topkFamilyInit,
  topkFamilyTraining,
} from './shared/topk-family.ts';
import { topkFamilyLoss } from './shared/topk-family-loss.ts';

function encode(params: NamedTensors, x: Tensor2D, k: number): Codes & { kind: 'topk' } {
  const encoder = centredEncoder(params);
  return { kind: 'topk', ...topkEncode(x, encoder, k), d_sae: encoder.W_enc.shape[1] };
}

function decode(params: NamedTensors, codes: Codes): Tensor2D {
  if (codes.kind === 'dense') return denseDecode(params, codes.values);
  const { W_dec, b_dec } = params as { W_dec: Tensor2D; b_dec: Tensor1D };
  return sparseDecode(codes.values, codes.indices, W_dec, b_dec, { activeOnly: true });
}

export default defineSae<TopkFamily>({
  id: 'topk',
  title: 'TopK SAE with AuxK',
  inference: 'the k largest positive pre-activations of each input',
  paper: 'Gao et al. 2024, arXiv:2406.04093',
  version: 2,
  hyperparameters: {
    k: { type: 'integer', minimum: 1, default: 16, description: 'Latents kept for each input.' },
    ...topkFamilyHyperparameters,
  },
  validate: (shape, hp) => checkK('topk', hp.k, shape, true),
  training: topkFamilyTraining,
  init: topkFamilyInit,
  encode: (params, x, hp) => encode(params, x, hp.k),
  decode,
  loss(params, { x, target }, state, hp) {
    const codes = encode(params, x, hp.k);
    const reconstruction = decode(params, codes);
    const { total, nmse, aux } = topkFamilyLoss(params, { x, target, reconstruction }, state, hp);
    return { total, parts: { nmse, aux }, codes, reconstruction };
  },
  targetL0: (hp) => hp.k,
  unitRows: () => ['W_dec'],
  beforeStep: raiseDeadBiases,
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  macs: (shape, hp) => linearMacs(shape, hp.k),
  toSaeLens: (params, hp) => ({
    architecture: 'topk',
    cfg: { k: hp.k, apply_b_dec_to_input: true, rescale_acts_by_decoder_norm: false },
    tensors: saeLensTensors(params),
  }),
});
