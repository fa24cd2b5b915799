/** @file What TopK and the variants built on it have in common: their codes, decoding, and SAELens's form. */
import type { Codes, NamedTensors, SaeDefinition, Tensor1D, Tensor2D } from '../../../harness/contract.ts';
import { type LinearEncoder, sparseDecode, topkEncode } from '../../../harness/kit/index.ts';
import { linearMacs } from './cost.ts';
import { centredEncoder, denseDecode } from './encoder.ts';
import { foldBiases, saeLensTensors } from './linear-parts.ts';
import { raiseDeadBiases, type TopkFamily, topkFamilyInit, topkFamilyTraining } from './topk-family.ts';

/** The k largest positive pre-activations of each input, descending. */
export function topkCodes(encoder: LinearEncoder, x: Tensor2D, k: number): Codes & { kind: 'topk' } {
  return { kind: 'topk', ...topkEncode(x, encoder, k), d_sae: encoder.W_enc.shape[1] };
}

/** codes · W_dec + b_dec, read from the codes that are not 0. */
export function topkDecode(params: NamedTensors, codes: Codes): Tensor2D {
  if (codes.kind === 'dense') return denseDecode(params, codes.values);
  const { W_dec, b_dec } = params as { W_dec: Tensor2D; b_dec: Tensor1D };
  return sparseDecode(codes.values, codes.indices, W_dec, b_dec, { activeOnly: true });
}

/** Everything but a variant's name, its options and its loss. */
export const topkVariant = {
  inference: 'the k largest positive pre-activations of each input',
  training: topkFamilyTraining,
  init: topkFamilyInit,
  encode: (params, x, hp) => topkCodes(centredEncoder(params), x, hp.k),
  decode: topkDecode,
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
} satisfies Partial<SaeDefinition<TopkFamily>>;
