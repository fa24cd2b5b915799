/** @file The weights of a Hugging Face folder: one .safetensors file or shards listed by an index. */

import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { shown, UserError } from '../errors.ts';
import { readError, readJson } from './json.ts';
import type { TensorSource } from './safetensors.ts';
import { openSafetensors, tensorSource } from './safetensors.ts';

/** The name that OpenCLIP gives its weights. */
const OPEN_CLIP = 'open_clip_model.safetensors';
/** No published model has more; a longer list is a broken index. */
const MAX_SHARDS = 4096;

async function openShards(folder: string, indexPath: string): Promise<TensorSource> {
  const index = (await readJson(indexPath, 'safetensors')) as { weight_map?: unknown } | null;
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new UserError(`safetensors ${indexPath}: expected a field weight_map from tensor names to file names.`);
  }
  const fileOf = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    // A path would let an index read files outside of its folder.
    if (typeof file !== 'string' || basename(file) !== file || !file.endsWith('.safetensors')) {
      throw new UserError(
        `safetensors ${indexPath}: tensor '${name}': expected a .safetensors file name, found ${shown(file)}.`,
      );
    }
    fileOf.set(name, file);
  }
  const files = [...new Set(fileOf.values())].sort();
  if (files.length > MAX_SHARDS) {
    throw new UserError(`safetensors ${indexPath}: expected at most ${MAX_SHARDS} shards, found ${files.length}.`);
  }
  const shards = new Map<string, TensorSource>();
  for (const file of files) shards.set(file, await openSafetensors(join(folder, file)));
  for (const [name, file] of fileOf) {
    if (!shards.get(file)!.has(name)) {
      throw new UserError(`safetensors ${indexPath}: tensor '${name}' should be in ${file}, which does not hold it.`);
    }
  }
  const names = [...fileOf.keys()].sort();
  const metadata = files.length > 0 ? shards.get(files[0]!)!.metadata : {};
  return tensorSource(indexPath, names, metadata, (name) => {
    const file = fileOf.get(name);
    return file === undefined ? undefined : shards.get(file)!.locate(name);
  });
}

/**
 * Open the weights of a folder: `model.safetensors`, else the shards of `model.safetensors.index.json`, else OpenCLIP's, else the only
 * .safetensors file there is. Reads headers only.
 *
 * @throws UserError when there are none, more than one candidate, a shard is missing or a header is bad.
 */
export async function openWeights(folder: string): Promise<TensorSource> {
  let files: string[];
  try {
    files = (await readdir(folder)).sort();
  } catch (error) {
    throw readError('safetensors', folder, error);
  }
  if (files.includes('model.safetensors')) return openSafetensors(join(folder, 'model.safetensors'));
  const indexFile = 'model.safetensors.index.json';
  if (files.includes(indexFile)) return openShards(folder, join(folder, indexFile));
  if (files.includes(OPEN_CLIP)) return openSafetensors(join(folder, OPEN_CLIP));
  const candidates = files.filter((file) => file.endsWith('.safetensors'));
  if (candidates.length === 1) return openSafetensors(join(folder, candidates[0]!));
  const found = candidates.length === 0 ? 'none' : candidates.join(', ');
  const pickled = files.some((file) => /\.(bin|pt|pth|ckpt)$/.test(file))
    ? ' Pickled weights: convert them to safetensors.'
    : '';
  throw new UserError(
    `safetensors ${folder}: expected model.safetensors or ${indexFile}, found ${found} of .safetensors.${pickled}`,
  );
}
