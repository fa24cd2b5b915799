/** @file Fingerprints of folders: a hash of the files that decide a model's or an SAE's numbers. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ggufAt } from './gguf-place.ts';
import { sha256File, sha256Json } from './hash.ts';
import { readError } from './json.ts';
import { isTokenizerFile } from './tokenizer-names.ts';
import { isTorchWeights } from './weight-files.ts';

/** Config, weights, preprocessor and what makes one vector of a text; not model cards, licences or other formats of the same weights. */
const DECISIVE =
  /\.safetensors$|^(model\.safetensors\.index|config|preprocessor_config|modules|sentence_bert_config|open_clip_config)\.json$/;
/** Folder of a sentence embedder's pooling, which has a config of its own. */
const POOLING = /^\d+_Pooling$/;
const SAFETENSORS = /\.safetensors$/;

/**
 * SHA-256 over the names and contents of the decisive files of a model: of a folder in Hugging Face layout, those of its
 * tokenizer among them, or the one GGUF file at a place.
 *
 * @throws UserError when they cannot be read.
 */
export async function folderFingerprint(place: string): Promise<string> {
  const { folder, names } = await decisiveFiles(place);
  return filesFingerprint(folder, names);
}

/** As {@link folderFingerprint}, of a model whose parameters are drawn anew when it is loaded (`RandomInit`). */
export async function subjectFingerprint(folder: string, randomInit: string | undefined): Promise<string> {
  const trained = await folderFingerprint(folder);
  return randomInit === undefined ? trained : sha256Json([trained, 'random-init', randomInit]);
}

/**
 * Sizes and times of the files that {@link folderFingerprint} reads: where they are the same, so are the contents, and
 * gigabytes need not be read again.
 */
export async function folderStamp(place: string): Promise<string> {
  const stamps: [string, number, number][] = [];
  const { folder, names } = await decisiveFiles(place);
  for (const name of names.sort()) {
    // The time of the last change of any kind, which no copying sets back.
    const { size, ctimeMs } = await stat(join(folder, name));
    stamps.push([name, size, ctimeMs]);
  }
  return JSON.stringify(stamps);
}

async function decisiveFiles(place: string): Promise<{ folder: string; names: string[] }> {
  const gguf = await ggufAt(place);
  if (gguf !== undefined) return { folder: dirname(gguf), names: [basename(gguf)] };
  const files = await readdir(place).catch((error: unknown) => {
    throw readError('subject', place, error);
  });
  // PyTorch's files are read only where there are no others.
  const torch = files.some((name) => SAFETENSORS.test(name)) ? () => false : isTorchWeights;
  const names = files.filter((name) => DECISIVE.test(name) || isTokenizerFile(name) || torch(name));
  const poolings = files.filter((name) => POOLING.test(name)).map((name) => join(name, 'config.json'));
  return { folder: place, names: [...names, ...poolings.filter((name) => existsSync(join(place, name)))] };
}

/** SHA-256 over the names and contents of files of a folder. @throws UserError when one cannot be read. */
export async function filesFingerprint(folder: string, names: readonly string[]): Promise<string> {
  const hashes: [string, string][] = [];
  for (const name of [...names].sort()) hashes.push([name, await sha256File(join(folder, name))]);
  return sha256Json(hashes);
}
