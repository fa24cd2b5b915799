/**
 * @file The layout of dictionary_learning (saprmarks) and of what forked it (sae-for-vlm): `ae.pt`, a state dict, with
 * `config.json`. The library's own loader reads nothing of the configuration but the class and k; nor is anything else here.
 *
 * Traps: Linear weights are transposed; AutoEncoder is brought to unit decoder rows on loading, its encoder times their
 * norms, and nothing else is; the biases of a run with `normalize_activations` were scaled back when it was saved; a BatchTopK
 * threshold of −1 says that training never set one, and lets through what the ReLU does.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { Fields, isSize, known } from '../fields.ts';
import { type Activation, type Checkpoint, formOf, unitDecoder } from '../form.ts';
import type { Layout } from '../layout.ts';
import type { Place } from '../place.ts';
import { siteOf } from '../sites.ts';
import { filled, type NamedWeights, openWeightsFile, refuseOtherTensors, rowNorms, transposed } from '../tensors.ts';

export const DICTIONARY_WEIGHTS = 'ae.pt';
export const DICTIONARY_CONFIG = 'config.json';

type Tensors = Checkpoint['tensors'];

interface Sizes {
  d_in: number;
  d_sae: number;
}

/** One class of dictionaries. */
interface Dictionary {
  activation: Activation;
  centred: boolean;
  /** Names of all its tensors. */
  names: readonly string[];
  /** Of 1 number: k, threshold. Of others the size does not matter here. */
  optional?: readonly string[];
  /** Its own tensors by SAELens's names. */
  read(weights: NamedWeights, sizes: Sizes): Promise<Tensors>;
}

/** encoder.weight [d_sae, d_in] and decoder.weight [d_in, d_sae] of Linear layers, and the bias of the decoder. */
async function linear(weights: NamedWeights, { d_in, d_sae }: Sizes, b_dec: string): Promise<Tensors> {
  return {
    W_enc: transposed(await weights.read('encoder.weight', [d_sae, d_in])),
    W_dec: transposed(await weights.read('decoder.weight', [d_in, d_sae])),
    b_dec: await weights.read(b_dec, [d_in]),
  };
}

const withBias = async (weights: NamedWeights, sizes: Sizes, b_dec: string): Promise<Tensors> => ({
  ...(await linear(weights, sizes, b_dec)),
  b_enc: await weights.read('encoder.bias', [sizes.d_sae]),
});

/** Weights that are parameters of their own, not of Linear layers. */
const parameters = async (weights: NamedWeights, { d_in, d_sae }: Sizes): Promise<Tensors> => ({
  W_enc: await weights.read('W_enc', [d_in, d_sae]),
  W_dec: await weights.read('W_dec', [d_sae, d_in]),
  b_enc: await weights.read('b_enc', [d_sae]),
  b_dec: await weights.read('b_dec', [d_in]),
});

/** As `normalize_decoder` does on loading. */
function normalised(tensors: Tensors): Tensors {
  const norms = rowNorms(tensors['W_dec']!);
  // As the library: rows that are of unit length already are left as they are, to the bit.
  return norms.every((norm) => Math.abs(norm - 1) <= 1e-8 + 1e-5) ? tensors : unitDecoder(tensors, norms);
}

const sharedThreshold = async (weights: NamedWeights, { d_sae }: Sizes) =>
  filled(d_sae, await weights.scalar('threshold'));

const LINEAR = ['encoder.weight', 'encoder.bias', 'decoder.weight'];
const PARAMETERS = ['W_enc', 'W_dec', 'b_enc', 'b_dec'];

const matryoshka: Dictionary = {
  activation: 'jumprelu',
  centred: true,
  names: [...PARAMETERS, 'k', 'threshold', 'group_sizes'],
  read: async (weights, sizes) => ({
    ...(await parameters(weights, sizes)),
    threshold: await sharedThreshold(weights, sizes),
  }),
};

const CLASSES: Readonly<Record<string, Dictionary>> = {
  AutoEncoder: {
    activation: 'relu',
    centred: true,
    names: [...LINEAR, 'bias'],
    read: async (weights, sizes) => normalised(await withBias(weights, sizes, 'bias')),
  },
  AutoEncoderNew: {
    activation: 'relu',
    centred: false,
    names: [...LINEAR, 'decoder.bias'],
    read: (weights, sizes) => withBias(weights, sizes, 'decoder.bias'),
  },
  GatedAutoEncoder: {
    activation: 'gated',
    centred: true,
    names: ['encoder.weight', 'decoder.weight', 'decoder_bias', 'r_mag', 'gate_bias', 'mag_bias'],
    read: async (weights, sizes) => ({
      ...(await linear(weights, sizes, 'decoder_bias')),
      r_mag: await weights.read('r_mag', [sizes.d_sae]),
      b_gate: await weights.read('gate_bias', [sizes.d_sae]),
      b_mag: await weights.read('mag_bias', [sizes.d_sae]),
    }),
  },
  JumpReluAutoEncoder: {
    activation: 'jumprelu',
    centred: false,
    names: [...PARAMETERS, 'threshold'],
    read: async (weights, sizes) => ({
      ...(await parameters(weights, sizes)),
      threshold: await weights.read('threshold', [sizes.d_sae]),
    }),
  },
  AutoEncoderTopK: {
    activation: 'topk',
    centred: true,
    names: [...LINEAR, 'b_dec'],
    // Written by some versions; its encoder keeps k of a row either way.
    optional: ['k', 'threshold'],
    read: (weights, sizes) => withBias(weights, sizes, 'b_dec'),
  },
  BatchTopKSAE: {
    activation: 'jumprelu',
    centred: true,
    names: [...LINEAR, 'b_dec', 'k', 'threshold'],
    read: async (weights, sizes) => ({
      ...(await withBias(weights, sizes, 'b_dec')),
      threshold: await sharedThreshold(weights, sizes),
    }),
  },
  MatryoshkaBatchTopKSAE: matryoshka,
  // As sae-for-vlm, and the library's older versions, spell it.
  MatroyshkaBatchTopKSAE: matryoshka,
};

/** Classes that the tensors' names alone tell: what older configurations, or none, leave to say. */
const TOLD_BY_NAMES = ['AutoEncoder', 'AutoEncoderNew', 'GatedAutoEncoder', 'JumpReluAutoEncoder', 'BatchTopKSAE'];

/** What older configurations called the trainer, where they name no class. */
const BY_TRAINER: Readonly<Record<string, string>> = {
  TrainerTopK: 'AutoEncoderTopK',
  TopKTrainer: 'AutoEncoderTopK',
  BatchTopKTrainer: 'BatchTopKSAE',
};

/** The `trainer` of config.json; of flat ones the whole. */
export async function trainerOf(place: Place): Promise<Fields | undefined> {
  if (!place.has(DICTIONARY_CONFIG)) return undefined;
  const config = await Fields.read('dictionary_learning', join(place.folder, DICTIONARY_CONFIG));
  return config.json['trainer'] === undefined ? config : config.inner('trainer');
}

/** Names of classes hold words that other fields do not, e.g. `SwitchAutoEncoder`. */
export async function dictionaryClass(place: Place): Promise<string | undefined> {
  return (await trainerOf(place))?.text('dict_class');
}

function classOf(trainer: Fields | undefined, weights: NamedWeights): string {
  const named = trainer?.text('dict_class') ?? BY_TRAINER[trainer?.text('trainer_class') ?? ''];
  if (named !== undefined) {
    if (Object.hasOwn(CLASSES, named)) return named;
    trainer!.fail('dict_class', `one of ${Object.keys(CLASSES).join(', ')}`);
  }
  const fitting = TOLD_BY_NAMES.filter((name) => {
    const { names } = CLASSES[name]!;
    return names.length === weights.names.length && names.every(weights.has);
  });
  // BatchTopKSAE and newer AutoEncoderTopK have the same tensors.
  if (fitting.length === 1 && fitting[0] !== 'BatchTopKSAE') return fitting[0]!;
  throw new UserError(
    `dictionary_learning ${weights.path}: expected config.json with trainer.dict_class beside it, as its tensors ` +
      `(${weights.names.join(', ')}) do not tell the class; found none.`,
  );
}

/** k as weights and configuration have it. @throws UserError when they differ, or a TopK has none. */
async function kOf(trainer: Fields | undefined, weights: NamedWeights, needed: boolean): Promise<number | undefined> {
  const inConfig = trainer?.json['k'] === undefined ? undefined : trainer.size('k');
  const inWeights = weights.has('k') ? await weights.scalar('k') : undefined;
  if (inConfig !== undefined && inWeights !== undefined && inConfig !== inWeights) {
    throw new UserError(
      `dictionary_learning ${weights.path}: k: expected ${inConfig}, as in ${DICTIONARY_CONFIG}; found ${inWeights}.`,
    );
  }
  const k = inWeights ?? inConfig;
  if (needed && k === undefined) {
    throw new UserError(
      `dictionary_learning ${weights.path}: k: expected it in ${DICTIONARY_CONFIG} or the weights; found none.`,
    );
  }
  return k;
}

/** The sizes that the weights have. */
function sizesOf(weights: NamedWeights): Sizes {
  const plain = weights.has('W_enc');
  const shape = weights.shapeOf(plain ? 'W_enc' : 'encoder.weight');
  if (shape.length !== 2) {
    throw new UserError(`dictionary_learning ${weights.path}: expected an encoder [rows, columns]; found [${shape}].`);
  }
  const [d_in, d_sae] = plain ? shape : [...shape].reverse();
  return { d_in: d_in!, d_sae: d_sae! };
}

/** Where it was trained: `resid_post_layer_8`, or the layer alone, which says no submodule. */
export const originOf = (trainer: Fields | undefined) =>
  known({
    hook_name: siteOf(trainer?.text('submodule_name')),
    model_name: trainer?.text('lm_name'),
  });

export const dictionaryLearning: Layout = {
  id: 'dictionary_learning',
  title: 'dictionary_learning',
  async claim(place) {
    if (!place.has(DICTIONARY_WEIGHTS)) return undefined;
    return (await dictionaryClass(place)) === 'SwitchAutoEncoder' ? undefined : DICTIONARY_WEIGHTS;
  },
  async open(place, file) {
    const weights = await openWeightsFile(join(place.folder, file));
    const trainer = await trainerOf(place);
    const name = classOf(trainer, weights);
    const { activation, centred, names, optional = [], read } = CLASSES[name]!;
    refuseOtherTensors(weights, 'dictionary_learning', name, names, optional);
    const sizes = sizesOf(weights);
    for (const [field, size] of [
      ['activation_dim', sizes.d_in],
      ['dict_size', sizes.d_sae],
    ] as const) {
      if (trainer !== undefined && trainer.optional(field, 'a whole number', isSize, size) !== size)
        trainer.fail(field, `${size}, as the weights have it`);
    }
    const k = await kOf(trainer, weights, activation === 'topk');
    if (k !== undefined && !(isSize(k) && k <= sizes.d_sae)) {
      throw new UserError(
        `dictionary_learning ${weights.path}: k: expected a whole number from 1 to d_sae = ${sizes.d_sae}, found ${k}.`,
      );
    }
    const config = {
      architecture: name,
      ...sizes,
      d_out: sizes.d_in,
      ...known({ k, advertisedL0: k }),
      ...originOf(trainer),
      form: formOf(activation, { centred }),
    };
    const files = place.has(DICTIONARY_CONFIG) ? [DICTIONARY_CONFIG, file] : [file];
    return { facts: config, files, read: async () => ({ config, tensors: await read(weights, sizes) }) };
  },
};
