/** @file What BatchTopK and the variants built on it have in common: selection over the batch, a threshold at inference. */
import {
  type Codes,
  type NamedTensors,
  type RunLength,
  type SaeDefinition,
  type SaeShape,
  type Tensor1D,
  type Tensor2D,
  type TrainingOptions,
  type TrainState,
  tf,
} from '../../../harness/contract.ts';
import { batchTopkEncode, type LinearEncoder, sparseDecode } from '../../../harness/kit/index.ts';
import { linearMacs } from './cost.ts';
import { centredBias, centredEncoder, denseDecode, preActivations } from './encoder.ts';
import { foldBiases, saeLensTensors } from './linear-parts.ts';
import { thresholdCodes, toDense } from './threshold-codes.ts';
import {
  raiseDeadBiases,
  type TopkFamily,
  topkFamilyHyperparameters,
  topkFamilyInit,
  topkFamilyTraining,
} from './topk-family.ts';

/** dictionary_learning averages from step 1000 on with weight 0.999: windows made for hundreds of thousands of steps. */
const REFERENCE = { start: 1000, rate: 0.001 };
/** A short run starts after a fifth of its steps and averages over about a tenth of them. */
const SHORT = { start: 0.2, window: 0.1 };

/** Moves the running mean of the smallest kept activation; −1 until it has begun, as in the reference. */
export function followThreshold(state: TrainState): void {
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

/** Inputs wider than `narrow` take a learning rate that falls with their width, to `least` of it, where norms are uneven. */
const UNEVEN_RATE = { narrow: 24, least: 1 / 8 };
/** Small enough to act in every step. */
const UNEVEN_CLIP = 1e-3;

/**
 * The recipe of the TopK family for rows of uneven norms. A step of Adam moves a pre-activation by up to rate · √d_in · ‖x‖, and
 * all that a long row takes of the batch's latents move together. Explained variance of log-normal rows (σ = 1, 195 steps of
 * 512) at rates of .006, .003, .0015: .84, .83, – at d_in = 32; –, .64, .65 at 128; at 256 .57 and .59 for .001 and .0003. And every
 * gradient is brought to one length, for that of a batch with a long row is many times the others': .64 for .61 at a rate of
 * .003. On rows of even norms it costs: .39 for .43 at d_in = 256, 2,048 latents and 1,562 steps of 64.
 */
export function unevenTraining(shape: SaeShape, hp: unknown, run: RunLength): Partial<TrainingOptions> {
  const recipe = topkFamilyTraining(shape, hp, run);
  const part = Math.min(1, Math.max(UNEVEN_RATE.least, UNEVEN_RATE.narrow / shape.d_in));
  return { ...recipe, lr: recipe.lr! * part, clip: UNEVEN_CLIP };
}

/** What a batch keeps, and its smallest value for {@link followThreshold}. */
export interface BatchTopkCodes {
  codes: Codes & { kind: 'topk' };
  carry: { smallest: number };
}

/** The k · n largest pre-activations of the n inputs. */
export function batchTopkCodes(encoder: LinearEncoder, x: Tensor2D, k: number): BatchTopkCodes {
  const { indices, values } = batchTopkEncode(x, encoder, k);
  const codes = { kind: 'topk' as const, indices, values, d_sae: encoder.W_enc.shape[1] };
  return { codes, carry: { smallest: smallestPositive(values) } };
}

/** The reconstruction that training makes of them. */
export function batchTopkDecode(params: NamedTensors, { values, indices }: BatchTopkCodes['codes']): Tensor2D {
  const { W_dec, b_dec } = params as { W_dec: Tensor2D; b_dec: Tensor1D };
  return sparseDecode(values, indices, W_dec, b_dec, { activeOnly: true });
}

/** Rows that the first reconstruction is measured on. */
const START_ROWS = 1024;
/** The encoder starts no shorter than this: what it learns from is in proportion to its length. */
const LEAST_SCALE = 1 / 64;

/**
 * The start values of the TopK family for rows of uneven norms, with an encoder of such a length that no multiple of the first reconstruction is
 * nearer to the target. Where rows differ much in norm, a few long rows take hundreds of latents each of the batch's;
 * with an encoder of unit columns those add up to many times the row (an explained variance of −34 at d_sae = 16 d_in),
 * and a short run ends before that is unlearned. On rows of even norms it finds fewer directions: a mean max cosine of .794 on the
 * synthetic data at batch 512, where SAELens has .819 and the usual start is within .02 of that.
 */
export function unevenInit(
  shape: SaeShape,
  { k }: { k: number },
  env: Parameters<SaeDefinition['init']>[2],
): ReturnType<typeof topkFamilyInit> {
  const { params, buffers } = topkFamilyInit(shape, {}, env);
  const [x, target] = [env.sample, env.targetSample].map((rows) =>
    tf.slice(rows, [0, 0], [Math.min(START_ROWS, rows.shape[0]), rows.shape[1]]),
  ) as [Tensor2D, Tensor2D];
  const { codes } = batchTopkCodes(centredEncoder(params), x, k);
  const first = tf.sub(batchTopkDecode(params, codes), params['b_dec']!);
  const productWith = (rows: Tensor2D) => tf.sum(tf.mul(rows, first)).dataSync()[0]!;
  const squared = productWith(first as Tensor2D);
  const along = productWith(tf.sub(target, params['b_dec']!));
  const scale = squared > 0 ? Math.max(LEAST_SCALE, along / squared) : 1;
  return { params: { ...params, W_enc: tf.mul(params['W_enc']!, scale) }, buffers };
}

export const batchTopkHyperparameters = {
  k: { type: 'number', exclusiveMinimum: 0, default: 16, description: 'Latents kept for each input on average.' },
  ...topkFamilyHyperparameters,
  // What competes over a whole batch is kept down by AuxK's gradient: rising biases alone bring more latents back.
  auxAlpha: { ...topkFamilyHyperparameters.auxAlpha, default: 0 },
};

/** Everything but a variant's name, its loss and the options of its own. */
export const batchTopkVariant = {
  inference: 'one threshold for all latents, learned in training, whatever the batch',
  training: topkFamilyTraining,
  init: topkFamilyInit,
  encode: (params, x) => thresholdCodes(preActivations(params, x, centredBias(params)), params['threshold']!),
  decode: (params, codes) => denseDecode(params, toDense(codes)),
  targetL0: (hp) => hp.k,
  unitRows: () => ['W_dec'],
  beforeStep: raiseDeadBiases,
  afterStep(_params, state) {
    followThreshold(state);
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
} satisfies Partial<SaeDefinition<TopkFamily>>;
