/**
 * @file Matching pursuit SAE: no encoder; k times the atom with the largest product with what is left over.
 *
 * The definition is SAELens's with max_iterations k, residual_threshold 0 and stop_on_duplicate_support false, on atoms of unit
 * length as in the paper, where SAELens leaves lengths free. Its loss is divided by d · variance.
 */
import { type Codes, defineSae, type NamedTensors, type Tensor2D, tf } from '../../harness/contract.ts';
import { matchingPursuit } from '../../harness/kit/index.ts';
import { linearMacs } from './shared/cost.ts';
import { medianOf, randomDecoder } from './shared/decoder.ts';
import { learningRate } from './shared/learning-rate.ts';
import { checkK, foldBiases } from './shared/linear-parts.ts';
import { topkDecode } from './shared/topk-codes.ts';
import { topkHyperparameter } from './shared/topk-family.ts';
import { normalisedError } from './shared/topk-family-loss.ts';
import { sampleVariance } from './shared/variance.ts';

interface MatchingPursuit {
  k: number;
}

function encode({ W_dec, b_dec }: NamedTensors, x: Tensor2D, k: number): Codes & { kind: 'topk' } {
  const codes = matchingPursuit(tf.sub(x, b_dec!) as Tensor2D, W_dec as Tensor2D, { steps: k });
  return { kind: 'topk', ...codes, d_sae: W_dec!.shape[0]! };
}

export default defineSae<MatchingPursuit>({
  id: 'matching-pursuit',
  title: 'Matching pursuit SAE',
  inference: 'k times the atom with the largest product with the residual',
  paper: 'Costa et al. 2025, arXiv:2506.03093',
  version: 1,
  hyperparameters: {
    k: { ...topkHyperparameter, description: 'Choices for each input; an atom may be chosen again.' },
  },
  validate: (shape, hp) => checkK('matching-pursuit', hp.k, shape, true),
  training: (shape, _hp, run) => ({ lr: learningRate(4.5e-3, shape, run, 0.5), clip: 1 }),
  init: (shape, _hp, { rng, sample }) => ({
    params: { W_dec: randomDecoder(shape, rng, 1), b_dec: medianOf(sample) },
    buffers: { variance: sampleVariance(sample) },
  }),
  encode: (params, x, hp) => encode(params, x, hp.k),
  decode: topkDecode,
  loss(params, { x, target }, state, hp) {
    const codes = encode(params, x, hp.k);
    const reconstruction = topkDecode(params, codes);
    const nmse = normalisedError(target, reconstruction, state);
    return { total: nmse, parts: { nmse }, codes, reconstruction };
  },
  targetL0: (hp) => hp.k,
  unitRows: () => ['W_dec'],
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  macs(shape, { k }) {
    const { encode, decode } = linearMacs(shape, k);
    return { encode: k * encode, decode };
  },
  toSaeLens: ({ W_dec, b_dec }, { k }) => ({
    architecture: 'matching_pursuit',
    cfg: { max_iterations: k, residual_threshold: 0, stop_on_duplicate_support: false, apply_b_dec_to_input: true },
    tensors: { W_dec: W_dec!, b_dec: b_dec! },
  }),
});
