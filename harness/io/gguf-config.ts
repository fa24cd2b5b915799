/** @file The `config.json` that a GGUF file's metadata would be in Hugging Face's layout. */
import { shown, someOf, UserError } from '../errors.ts';
import type { GgufFile } from './gguf.ts';
import { GGUF_ARCHITECTURES, type GgufArchitecture } from './gguf-architectures.ts';
import type { GgufValue } from './gguf-header.ts';

/** Llama 3's stretched frequencies, one factor for each pair of a head. */
export const ROPE_FACTORS = 'rope_freqs.weight';

const EMBEDDING = 'token_embd.weight';

/** Bounds of Llama 3's stretching, of which a file gives the factors only; all of its models have these. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
/** Factors are float32 of a formula in float32. */
const FACTOR_TOLERANCE = 1e-3;

/** Keys without which another model's sizes would be taken: a family's own defaults are those of one checkpoint. */
const REQUIRED = ['context_length', 'block_count', 'embedding_length', 'feed_forward_length', 'attention.head_count'];

/** Keys of an architecture that change no number, or are read apart. */
const APART: ReadonlySet<string> = new Set([
  'vocab_size',
  'attention.value_length',
  'attention.causal',
  'rope.dimension_count',
  'rope.scaling.type',
  'rope.scaling.factor',
  'rope.scaling.original_context_length',
  'rope.scaling.finetuned',
  'rope.scale_linear',
  'tensor_data_layout',
]);

/** The architecture of a file. @throws UserError for one that is not read here, and for a part of a split model. */
export function architectureOf({ path, metadata }: GgufFile): GgufArchitecture & { id: string } {
  const id = metadata.get('general.architecture');
  const known = Object.keys(GGUF_ARCHITECTURES).sort();
  if (typeof id !== 'string' || !Object.hasOwn(GGUF_ARCHITECTURES, id)) {
    throw new UserError(`gguf ${path}: general.architecture: expected one of ${known.join(', ')}; found ${shown(id)}.`);
  }
  const parts = metadata.get('split.count') ?? 0;
  if (parts !== 0 && parts !== 1) {
    throw new UserError(
      `gguf ${path}: expected a whole model, found one of ${shown(parts)} parts: join them (llama-gguf-split --merge).`,
    );
  }
  return { ...GGUF_ARCHITECTURES[id]!, id };
}

/** How rotary positions are stretched, in the words of `rope_scaling`. */
async function ropeScaling(file: GgufFile, id: string, theta: number, headDim: number) {
  const where = `gguf ${file.path}`;
  const value = (key: string) => file.metadata.get(`${id}.${key}`);
  const type = value('rope.scaling.type') ?? 'none';
  const factor = value('rope.scaling.factor') ?? value('rope.scale_linear') ?? 1;
  const linear = type === 'linear' || (type === 'none' && value('rope.scale_linear') !== undefined);
  if (type !== 'none' && type !== 'linear') {
    throw new UserError(`${where}: ${id}.rope.scaling.type: expected none or linear, found ${shown(type)}.`);
  }
  if (!file.tensors.has(ROPE_FACTORS)) return linear && factor !== 1 ? { rope_type: 'linear', factor } : undefined;
  const factors = await file.read(ROPE_FACTORS);
  const most = factors.reduce((largest, each) => Math.max(largest, each), 0);
  const scaling = { rope_type: 'llama3', factor: most, ...LLAMA3 };
  const fits = factors.length === headDim / 2 && factors.every((each, i) => isNear(each, llama3Factor(i)));
  if (fits && !linear) return scaling;
  throw new UserError(
    `${where}: tensor '${ROPE_FACTORS}': expected the ${headDim / 2} factors by which Llama 3 stretches its positions, ` +
      'found others, which are not computed here.',
  );

  function llama3Factor(pair: number): number {
    const turns = (LLAMA3.original_max_position_embeddings * theta ** ((-2 * pair) / headDim)) / (2 * Math.PI);
    const { low_freq_factor: low, high_freq_factor: high } = LLAMA3;
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return 1 / (kept + (1 - kept) / most);
  }
}

const isNear = (a: number, b: number) => Math.abs(a - b) <= FACTOR_TOLERANCE * b;

/** A number of the metadata. @throws UserError for another kind of value: a list is one for each block. */
function numberOf(path: string, key: string, value: GgufValue | undefined): number {
  if (typeof value === 'number') return value;
  const kind = Array.isArray(value) ? 'one number for all blocks' : 'a number';
  throw new UserError(`gguf ${path}: ${key}: expected ${kind}, found ${shown(value)}.`);
}

/** A flag of the metadata. @throws UserError for another kind of value. */
function flagOf(path: string, key: string, value: GgufValue): boolean {
  if (typeof value === 'boolean') return value;
  throw new UserError(`gguf ${path}: ${key}: expected true or false, found ${shown(value)}.`);
}

/** Rows of the table of tokens, which the metadata must agree with. */
function vocabularyOf({ path, metadata, tensors }: GgufFile, id: string): number {
  const table = tensors.get(EMBEDDING);
  if (table?.shape.length !== 2) {
    throw new UserError(
      `gguf ${path}: expected a tensor ${EMBEDDING} of two dimensions, found ${shown(table?.shape)}.`,
    );
  }
  const rows = table.shape[0]!;
  const said = metadata.get(`${id}.vocab_size`) ?? rows;
  if (said === rows) return rows;
  throw new UserError(
    `gguf ${path}: ${id}.vocab_size: expected ${rows}, the rows of ${EMBEDDING}; found ${shown(said)}.`,
  );
}

/**
 * A file's metadata as fields of `config.json`.
 *
 * @throws UserError for an architecture that is not read here, fields of another kind, and keys of the architecture that
 * are not known: they may change the numbers.
 */
export async function ggufConfig(file: GgufFile): Promise<Record<string, unknown>> {
  const { path, metadata, tensors } = file;
  const { id, modelType, fields, flags = {}, fixed, derived, biases, rotaryShare } = architectureOf(file);
  const config: Record<string, unknown> = { model_type: modelType, ...fixed };
  const unknown: string[] = [];
  for (const [key, value] of metadata) {
    if (!key.startsWith(`${id}.`)) continue;
    const own = key.slice(id.length + 1);
    if (Object.hasOwn(fields, own)) config[fields[own]!] = numberOf(path, key, value);
    else if (Object.hasOwn(flags, own)) config[flags[own]!] = flagOf(path, key, value);
    else if (!APART.has(own)) unknown.push(key);
  }
  if (unknown.length > 0) {
    throw new UserError(
      `gguf ${path}: expected keys of ${id} that are known here, found ${someOf(unknown)}: they may change the numbers.`,
    );
  }
  const needed = [...REQUIRED, ...Object.keys(fields).filter((key) => key.endsWith('_epsilon'))];
  const missing = needed.find((key) => !metadata.has(`${id}.${key}`));
  if (missing !== undefined) throw new UserError(`gguf ${path}: expected a key ${id}.${missing}, found none.`);
  // As llama.cpp does.
  const kvHeads = fields['attention.head_count_kv'];
  if (kvHeads !== undefined) config[kvHeads] ??= metadata.get(`${id}.attention.head_count`);
  for (const [field, tensor] of Object.entries(biases ?? {})) config[field] = tensors.has(`blk.0.${tensor}.bias`);
  for (const role of ['bos', 'eos'] as const) {
    const token = metadata.get(`tokenizer.ggml.${role}_token_id`);
    if (token !== undefined) config[`${role}_token_id`] = token;
  }
  if (metadata.get(`${id}.attention.causal`) === false) {
    throw new UserError(`gguf ${path}: ${id}.attention.causal: expected true, found false.`);
  }
  const number = (key: string, fallback: number) =>
    numberOf(path, `${id}.${key}`, metadata.get(`${id}.${key}`) ?? fallback);
  const width = number('embedding_length', Number.NaN) / number('attention.head_count', Number.NaN);
  const headDim = number('attention.key_length', width);
  for (const [key, what] of Object.entries({ 'attention.value_length': 'key', 'rope.dimension_count': 'whole head' })) {
    if (number(key, headDim) === headDim) continue;
    if (rotaryShare !== undefined && key === 'rope.dimension_count') continue;
    throw new UserError(
      `gguf ${path}: ${id}.${key}: expected ${headDim}, that of the ${what}; found ${number(key, 0)}.`,
    );
  }
  const theta = number('rope.freq_base', 10_000);
  const scaling = await ropeScaling(file, id, theta, headDim);
  const given = (key: string) => number(key, Number.NaN);
  return {
    ...config,
    ...derived?.(given),
    ...(fields['rope.freq_base'] === undefined ? {} : { [fields['rope.freq_base']]: theta }),
    ...(rotaryShare === undefined ? {} : { [rotaryShare]: number('rope.dimension_count', headDim) / headDim }),
    ...(scaling === undefined ? {} : { rope_scaling: scaling }),
    vocab_size: vocabularyOf(file, id),
    // llama.cpp writes the head only where it is not the table of tokens.
    tie_word_embeddings: !tensors.has('output.weight'),
  };
}
