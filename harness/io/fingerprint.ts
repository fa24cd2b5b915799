/** @file Fingerprints of folders: a hash of the files that decide a model's or an SAE's numbers. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File, sha256Json } from './hash.ts';
import { readError } from './json.ts';

/** Config, weights, tokenizer and preprocessor; not model cards, licences or other formats of the same weights. */
const DECISIVE =
  /\.safetensors$|^(model\.safetensors\.index|config|tokenizer|tokenizer_config|preprocessor_config|vocab|merges)\.(json|txt)$/;

/**
 * SHA-256 over the names and contents of the decisive files of a folder in Hugging Face layout.
 *
 * @throws UserError when the folder cannot be read.
 */
export async function folderFingerprint(folder: string): Promise<string> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw readError('subject', folder, error);
  });
  return filesFingerprint(
    folder,
    names.filter((name) => DECISIVE.test(name)),
  );
}

/** SHA-256 over the names and contents of files of a folder. @throws UserError when one cannot be read. */
export async function filesFingerprint(folder: string, names: readonly string[]): Promise<string> {
  const hashes: [string, string][] = [];
  for (const name of [...names].sort()) hashes.push([name, await sha256File(join(folder, name))]);
  return sha256Json(hashes);
}
