/** @file The tiny models of testdata/families: their weights by the rule of make_golden.py, written as files of any form. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LanguageModel } from '../../../harness/contract.ts';
import { openSafetensors } from '../../../harness/io/safetensors.ts';
import { writeSafetensors } from '../../../harness/kit/index.ts';
import type { CausalLm } from '../causal-lm.ts';
import type { ConfigReader } from '../config.ts';
import gemma2, { readGemma2 } from '../gemma2.ts';
import gemma3, { readGemma3 } from '../gemma3.ts';
import gptNeo, { readGptNeo } from '../gpt-neo.ts';
import gptNeoX, { readGptNeoX } from '../gpt-neox.ts';
import mistral, { readMistral } from '../mistral.ts';
import olmo2, { readOlmo2 } from '../olmo2.ts';
import phi3, { readPhi3 } from '../phi3.ts';
import qwen2, { readQwen2 } from '../qwen2.ts';
import qwen3, { readQwen3 } from '../qwen3.ts';
import { testFolder } from './golden.ts';

/** A family, and what its tiny model is there for. */
interface TinyModel {
  plugin: typeof gemma2;
  read: (config: ConfigReader) => CausalLm;
  what: string;
}

/** By folder in testdata/families. */
export const TINY_MODELS: Readonly<Record<string, TinyModel>> = {
  'gpt-neox': { plugin: gptNeoX, read: readGptNeoX, what: 'layers in parallel, a quarter of each head turned' },
  'gpt-neox-sequential': { plugin: gptNeoX, read: readGptNeoX, what: 'one after the other, no biases, tied, linear' },
  qwen2: { plugin: qwen2, read: readQwen2, what: 'biases of q, k and v, windows in the upper layers, tied' },
  qwen3: { plugin: qwen3, read: readQwen3, what: 'norms of q and k, biases, a head width of its own, linear' },
  mistral: { plugin: mistral, read: readMistral, what: 'a window in every layer' },
  gemma2: { plugin: gemma2, read: readGemma2, what: 'norms on both sides, caps, windows in turn' },
  gemma3: {
    plugin: gemma3,
    read: readGemma3,
    what: 'norms of q and k, positions of their own in layers with a window, capped logits',
  },
  'gemma3-images': { plugin: gemma3, read: readGemma3, what: 'out of a model that reads images' },
  'gpt-neo': { plugin: gptNeo, read: readGptNeo, what: 'unscaled scores, windows in turn' },
  phi3: { plugin: phi3, read: readPhi3, what: 'fused weights, a window' },
  'phi3-long': { plugin: phi3, read: readPhi3, what: 'longrope, three quarters of each head turned, tied' },
  olmo2: { plugin: olmo2, read: readOlmo2, what: 'norms of what is added alone, of whole q and k' },
};

const folderOf = (name: string) => testFolder(join('families', name));

/** A JSON file of a tiny model's folder. */
export async function readTiny(name: string, file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folderOf(name), file), 'utf8'));
}

/** Weights of a tensor by the rule of make_golden.py: the same numbers in float32 and bfloat16. */
function weights(name: string, shape: number[], gain: number): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const fanIn = count / (shape[0] ?? 1);
  const less = gain === 0 && name.endsWith('embed_tokens.weight') ? 2 : 0;
  const unit = 2 ** -(5 + (fanIn.toString(2).length >> 1) + less);
  const seed = crc32(name);
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (seed + Math.imul(i, 0x9e3779b9)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    const m = ((h ^ (h >>> 16)) >>> 24) - 128;
    if (shape.length > 1) return m * unit;
    return name.endsWith('.weight') ? gain + (m >> 1) / 128 : m / 512;
  });
}

/** How to write a model's files. */
export interface TinyFiles {
  dtype?: 'F32' | 'BF16';
  /** Number of files that the tensors are dealt out to. */
  shards?: number;
  /** Field by field in place of config.json's. */
  config?: Record<string, unknown>;
}

/** Writes a tiny model's folder, with a tokenizer of 50 words. */
export async function writeTiny(name: string, folder: string, files: TinyFiles = {}): Promise<void> {
  const { dtype = 'F32', shards = 1 } = files;
  await mkdir(folder, { recursive: true });
  const shapes = Object.entries(await readTiny(name, 'tensors.json')) as [string, number[]][];
  const gain = name.startsWith('gemma') ? 0 : 1;
  const index: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const number = (n: number) => String(n).padStart(5, '0');
    const file = shards === 1 ? 'model.safetensors' : `model-${number(shard + 1)}-of-${number(shards)}.safetensors`;
    const part = shapes.filter((_, i) => i % shards === shard);
    for (const [tensor] of part) index[tensor] = file;
    const tensors = part.map(
      ([tensor, shape]) => [tensor, { dtype, shape, data: weights(tensor, shape, gain) }] as const,
    );
    await writeSafetensors(join(folder, file), Object.fromEntries(tensors), { format: 'pt' });
  }
  if (shards > 1) await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: index }));
  const config = { ...(await readTiny(name, 'config.json')), ...files.config };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(testFolder('llama-bf16'), file), join(folder, file));
  }
}

/** Writes and loads a tiny model. */
export async function openTiny(name: string, folder: string, files?: TinyFiles): Promise<LanguageModel> {
  await writeTiny(name, folder, files);
  return (await TINY_MODELS[name]!.plugin.load(folder, { id: name })) as LanguageModel;
}

/** What transformers computes for a tiny model. */
export interface TinyGolden {
  /** Ids of each row. */
  rows: number[][];
  /** Continuations of the rows. */
  greedy: number[][];
  sites: string[];
  /** Values at a site, or `logits`, at the rows' real positions, one row after another. */
  at(site: string): Promise<Float32Array>;
}

export async function readTinyGolden(name: string): Promise<TinyGolden> {
  const source = await openSafetensors(join(folderOf(name), 'golden.safetensors'));
  const rowsOf = async (tensor: string) => {
    const [n, width] = source.info(tensor).shape as [number, number];
    const values = await source.read(tensor);
    return Array.from({ length: n }, (_, row) => Array.from(values.subarray(row * width, (row + 1) * width), Number));
  };
  const lengths = Array.from(await source.read('lengths'), Number);
  const rows = (await rowsOf('input_ids')).map((row, i) => row.slice(0, lengths[i]));
  const others = ['input_ids', 'lengths', 'greedy', 'logits'];
  return {
    rows,
    greedy: await rowsOf('greedy'),
    sites: source.names.filter((tensor) => !others.includes(tensor)),
    at: async (site) => (await source.read(site)) as Float32Array,
  };
}
