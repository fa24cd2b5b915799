/** @file The weights of a model: safetensors or PyTorch files of a Hugging Face folder, whole or in shards, or a GGUF file. */

import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { shown, UserError, unknownName } from '../errors.ts';
import { FLOAT_TYPES } from './elements.ts';
import { openGguf } from './gguf.ts';
import { ggufAt } from './gguf-place.ts';
import { ggufWeights } from './gguf-weights.ts';
import { readError, readJson } from './json.ts';
import type { ReadOptions, WeightSource } from './safetensors.ts';
import { openSafetensors } from './safetensors.ts';
import { openTorch, type TorchFile } from './torch.ts';
import { weightFiles } from './weight-files.ts';

/** No published model has more; a longer list is a broken index. */
const MAX_SHARDS = 4096;

/** How a kind of files is opened, and how its names end. */
const FORMATS = {
  safetensors: { open: async (path: string): Promise<WeightSource> => openSafetensors(path), ending: /\.safetensors$/ },
  torch: { open: async (path: string) => torchWeights(await openTorch(path)), ending: /\.bin$/ },
};

/** The files that an index names, by tensor. @throws UserError for an index of another form. */
async function readIndex(indexPath: string, format: keyof typeof FORMATS): Promise<Map<string, string>> {
  const index = (await readJson(indexPath, format)) as { weight_map?: unknown } | null;
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new UserError(`${format} ${indexPath}: expected a field weight_map from tensor names to file names.`);
  }
  const fileOf = new Map<string, string>();
  const ending = FORMATS[format].ending;
  for (const [name, file] of Object.entries(map)) {
    // A path would let an index read files outside of its folder.
    if (typeof file !== 'string' || basename(file) !== file || !ending.test(file)) {
      const kind = format === 'torch' ? '.bin' : '.safetensors';
      throw new UserError(
        `${format} ${indexPath}: tensor '${name}': expected a ${kind} file name, found ${shown(file)}.`,
      );
    }
    fileOf.set(name, file);
  }
  return fileOf;
}

async function openShards(folder: string, index: string, format: keyof typeof FORMATS): Promise<WeightSource> {
  const indexPath = join(folder, index);
  const fileOf = await readIndex(indexPath, format);
  const files = [...new Set(fileOf.values())].sort();
  if (files.length > MAX_SHARDS) {
    throw new UserError(`${format} ${indexPath}: expected at most ${MAX_SHARDS} shards, found ${files.length}.`);
  }
  const shards = new Map<string, WeightSource>();
  for (const file of files) shards.set(file, await FORMATS[format].open(join(folder, file)));
  for (const [name, file] of fileOf) {
    if (!shards.get(file)!.has(name)) {
      throw new UserError(`${format} ${indexPath}: tensor '${name}' should be in ${file}, which does not hold it.`);
    }
  }
  const names = [...fileOf.keys()].sort();
  const shardOf = (name: string): WeightSource => {
    const file = fileOf.get(name);
    if (file === undefined) throw unknownName(`tensor of ${indexPath}`, name, names);
    return shards.get(file)!;
  };
  return {
    path: indexPath,
    names,
    has: (name) => fileOf.has(name),
    info: (name) => shardOf(name).info(name),
    readFloat: (name, options) => shardOf(name).readFloat(name, options),
  };
}

/** The tensors of a PyTorch state dict. */
function torchWeights(file: TorchFile): WeightSource {
  const { path } = file;
  const known = new Set(file.names);
  return {
    path,
    names: file.names,
    has: (name) => known.has(name),
    info: (name) => file.info(name),
    async readFloat(name: string, options?: ReadOptions) {
      const { dtype } = file.info(name);
      if (!FLOAT_TYPES.includes(dtype)) {
        throw new UserError(
          `torch ${path}: tensor '${name}': expected a floating type (${FLOAT_TYPES.join(', ')}), found ${dtype}.`,
        );
      }
      return (await file.read(name, options)) as Float32Array;
    },
  };
}

/**
 * Opens the weights at a place: a GGUF file, or a folder that holds one, or a folder with the files of {@link weightFiles}.
 * Reads headers only; of PyTorch files their pickle, which is never executed.
 *
 * @throws UserError when there are none, more than one candidate, a shard is missing or a header is bad.
 */
export async function openWeights(place: string): Promise<WeightSource> {
  const gguf = await ggufAt(place);
  if (gguf !== undefined) return ggufWeights(await openGguf(gguf));
  let files: string[];
  try {
    files = (await readdir(place)).sort();
  } catch (error) {
    throw readError('safetensors', place, error);
  }
  const found = weightFiles(files);
  if ('file' in found) return FORMATS[found.format].open(join(place, found.file));
  if ('index' in found) return openShards(place, found.index, found.format);
  const candidates = found.candidates.length === 0 ? 'none' : found.candidates.join(', ');
  const ggufs = files.filter((file) => file.endsWith('.gguf'));
  const hint = ggufs.length > 0 ? ` It holds ${ggufs[0]}: to read that, name the file.` : '';
  throw new UserError(
    `weights ${place}: expected model.safetensors, model.safetensors.index.json or pytorch_model.bin, ` +
      `found ${candidates} of .safetensors and .bin.${hint}`,
  );
}
