/** @file Fingerprints of folders: a hash of the files that decide a model's or an SAE's numbers. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File, sha256Json } from './hash.ts';
import { readError } from './json.ts';
import { isTokenizerFile } from './tokenizer-names.ts';

/** Config, weights, preprocessor and what makes one vector of a text; not model cards, licences or other formats of the same weights. */
const DECISIVE =
  /\.safetensors$|^(model\.safetensors\.index|config|preprocessor_config|modules|sentence_bert_config|open_clip_config)\.json$/;
/** Folder of a sentence embedder's pooling, which has a config of its own. */
const POOLING = /^\d+_Pooling$/;

/**
 * SHA-256 over the names and contents of the decisive files of a folder in Hugging Face layout, those of its tokenizer
 * among them.
 *
 * @throws UserError when the folder cannot be read.
 */
export async function folderFingerprint(folder: string): Promise<string> {
  return filesFingerprint(folder, await decisiveFiles(folder));
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
export async function folderStamp(folder: string): Promise<string> {
  const stamps: [string, number, number][] = [];
  for (const name of (await decisiveFiles(folder)).sort()) {
    // The time of the last change of any kind, which no copying sets back.
    const { size, ctimeMs } = await stat(join(folder, name));
    stamps.push([name, size, ctimeMs]);
  }
  return JSON.stringify(stamps);
}

async function decisiveFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw readError('subject', folder, error);
  });
  const poolings = names.filter((name) => POOLING.test(name)).map((name) => join(name, 'config.json'));
  const there = poolings.filter((name) => existsSync(join(folder, name)));
  return [...names.filter((name) => DECISIVE.test(name) || isTokenizerFile(name)), ...there];
}

/** SHA-256 over the names and contents of files of a folder. @throws UserError when one cannot be read. */
export async function filesFingerprint(folder: string, names: readonly string[]): Promise<string> {
  const hashes: [string, string][] = [];
  for (const name of [...names].sort()) hashes.push([name, await sha256File(join(folder, name))]);
  return sha256Json(hashes);
}
