/** @file What loading a subject's folder needs whatever the family: config, tokenizer, fingerprint, token batches. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  loadTokenizer,
  readJson,
  sha256File,
  sha256Json,
  type TokenBatch,
  type Tokenizer,
  UserError,
} from '../../harness/contract.ts';

/** The fields of a folder's `config.json`. */
export async function readConfig(folder: string): Promise<Record<string, unknown>> {
  const path = join(folder, 'config.json');
  const json = await readJson(path, 'subject');
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  throw new UserError(`subject: ${path}: expected a JSON object.`);
}

/** Files that decide a subject's numbers. */
const DECISIVE =
  /\.safetensors$|^(model\.safetensors\.index|config|tokenizer|tokenizer_config|preprocessor_config|vocab|merges)\.(json|txt)$/;

/** SHA-256 over the names and contents of the config, weights, tokenizer and preprocessor files. */
export async function fingerprintOf(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => DECISIVE.test(file)).sort();
  const hashes: [string, string][] = [];
  for (const file of files) hashes.push([file, await sha256File(join(folder, file))]);
  return sha256Json(hashes);
}

/** The folder's tokenizer by the contract. */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const tokenizer = await loadTokenizer(folder);
  return {
    vocabSize: tokenizer.vocabSize,
    bosId: tokenizer.special.bos,
    eosId: tokenizer.special.eos,
    padId: tokenizer.special.pad,
    specialIds: tokenizer.specialIds,
    encode: (text, options = {}) => {
      const { ids, offsets } = tokenizer.encode(text, { ...options, offsets: true });
      return { ids, offsets: offsets! };
    },
    decode: (ids, options) => tokenizer.decode(Array.from(ids), options),
  };
}

/** Right-pads rows of ids to the longest. */
export function batchOf(rows: readonly (readonly number[])[], padId: number): TokenBatch {
  const length = rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const ids = new Int32Array(rows.length * length).fill(padId);
  const mask = new Uint8Array(rows.length * length);
  rows.forEach((row, i) => {
    ids.set(row, i * length);
    mask.fill(1, i * length, i * length + row.length);
  });
  return { n: rows.length, length, ids, mask };
}

/** Refuses a tokenizer that knows ids without a row in the embedding. */
export function checkVocabulary(folder: string, tokenizer: Tokenizer, vocab: number): void {
  if (tokenizer.vocabSize <= vocab) return;
  throw new UserError(
    `subject ${folder}: config.json has vocab_size ${vocab}, the tokenizer has ids up to ${tokenizer.vocabSize - 1}: ` +
      'they belong to different models.',
  );
}
