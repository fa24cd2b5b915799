/** @file BatchTopK SAE: k latents an input on average, chosen over the whole batch; a threshold at inference. */
import {
  type Codes,
  defineSae,
  type NamedTensors,
  type Tensor1D,
  type Tensor2D,
  type TrainState,
  tf,
} from '../../harness/contract.ts';
import { batchTopkEncode, sparseDecode } from '../../harness/kit/index.ts';
import { linearMacs } from './shared/cost.ts';
import { centredBias, centredEncoder, denseDecode, preActivations } from './shared/encoder.ts';
import { checkK, foldBiases, saeLensTensors } from './shared/linear-parts.ts';
import { thresholdCodes, toDense } from './shared/threshold-codes.ts';
import {
  raiseDeadBiases,
  type TopkFamily,
  topkFamilyHyperparameters,
  topkFamilyInit,
  topkFamilyTraining,
} from './shared/topk-family.ts';
import { topkFamilyLoss } from './shared/topk-family-loss.ts';

/** dictionary_learning averages from step 1000 on with weight 0.999: windows made for hundreds of thousands of steps. */
const REFERENCE = { start: 1000, rate: 0.001 };
/** A short run starts after a fifth of its steps and averages over about a tenth of them. */
const SHORT = { start: 0.2, window: 0.1 };

/** Moves the running mean of the smallest kept activation; −1 until it has begun, as in the reference. */
function updateThreshold(state: TrainState): void {
  const smallest = state.last?.carry?.['smallest'] ?? 0;
  if (state.step < Math.min(REFERENCE.start, Math.floor(SHORT.start * state.steps)) || smallest <= 0) return;
  const before = state.scalars['threshold'] ?? -1;
  const rate = Math.max(REFERENCE.rate, Math.min(1, 1 / (SHORT.window * state.steps)));
  state.scalars['threshold'] = before < 0 ? smallest : (1 - rate) * before + rate * smallest;
}

/** The smallest entry above 0, or 0 where there is none. */
function smallestPositive(codes: Tensor2D): number {
  const values = codes.dataSync() as Float32Array;
  let smallest = Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! > 0 && values[i]! < smallest) smallest = values[i]!;
  return smallest === Infinity ? 0 : smallest;
}

export default defineSae<TopkFamily>({
  id: 'batchtopk',
  title: 'BatchTopK SAE',
  inference: 'one threshold for all latents, learned in training, whatever the batch',
  paper: 'Bussmann, Leask & Nanda 2024, arXiv:2412.06410',
  version: 2,
  hyperparameters: {
    k: { type: 'number', exclusiveMinimum: 0, default: 16, description: 'Latents kept for each input on average.' },
    ...topkFamilyHyperparameters,
    // What competes over a whole batch is kept down by AuxK's gradient: rising biases alone bring more latents back.
    auxAlpha: { ...topkFamilyHyperparameters.auxAlpha, default: 0 },
  },
  validate: (shape, hp) => checkK('batchtopk', hp.k, shape, false),
  training: topkFamilyTraining,
  init: topkFamilyInit,
  encode: (params, x) => thresholdCodes(preActivations(params, x, centredBias(params)), params['threshold']!),
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  loss(params, { x, target }, state, hp) {
    const encoder = centredEncoder(params);
    const { indices, values } = batchTopkEncode(x, encoder, hp.k);
    const codes: Codes = { kind: 'topk', indices, values, d_sae: encoder.W_enc.shape[1] };
    const reconstruction = sparseDecode(values, indices, params['W_dec'] as Tensor2D, encoder.centre, {
      activeOnly: true,
    });
    const { total, nmse, aux } = topkFamilyLoss(params, { x, target, reconstruction }, state, hp);
    return { total, parts: { nmse, aux }, carry: { smallest: smallestPositive(values) }, codes, reconstruction };
  },
  targetL0: (hp) => hp.k,
  unitRows: () => ['W_dec'],
  beforeStep: raiseDeadBiases,
  afterStep(_params, state) {
    updateThreshold(state);
    return {};
  },
  toInference: (params, state): NamedTensors => ({
    ...params,
    threshold: tf.scalar(Math.max(0, state.scalars['threshold'] ?? 0)),
  }),
  foldScale: foldBiases,
  directions: (params) => params['W_dec'] as Tensor2D,
  macs: (shape, hp) => linearMacs(shape, hp.k),
  // SAELens too writes a BatchTopK SAE as JumpReLU, with the one threshold for every latent.
  toSaeLens: (params) => ({
    architecture: 'jumprelu',
    cfg: { apply_b_dec_to_input: true },
    tensors: {
      ...saeLensTensors(params),
      threshold: tf.mul(tf.onesLike(params['b_enc']! as Tensor1D), params['threshold']!),
    },
  }),
});
