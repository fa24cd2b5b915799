/** @file Fingerprints of folders: a hash of the files that decide a model's or an SAE's numbers. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File, sha256Json } from './hash.ts';
import { readError } from './json.ts';
import { isTokenizerFile } from './tokenizer-names.ts';

/** Config, weights and preprocessor; not model cards, licences or other formats of the same weights. */
const DECISIVE = /\.safetensors$|^(model\.safetensors\.index|config|preprocessor_config)\.json$/;

/**
 * SHA-256 over the names and contents of the decisive files of a folder in Hugging Face layout, those of its tokenizer
 * among them.
 *
 * @throws UserError when the folder cannot be read.
 */
export async function folderFingerprint(folder: string): Promise<string> {
  const counts = (name: string) => DECISIVE.test(name) || isTokenizerFile(name);
  const names = await readdir(folder).catch((error: unknown) => {
    throw readError('subject', folder, error);
  });
  return filesFingerprint(folder, names.filter(counts));
}

/** SHA-256 over the names and contents of files of a folder. @throws UserError when one cannot be read. */
export async function filesFingerprint(folder: string, names: readonly string[]): Promise<string> {
  const hashes: [string, string][] = [];
  for (const name of [...names].sort()) hashes.push([name, await sha256File(join(folder, name))]);
  return sha256Json(hashes);
}
