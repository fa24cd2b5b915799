/** @file The config of a model at a place: `config.json` of a Hugging Face folder, OpenCLIP's own, or what a GGUF file's metadata say. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { openGguf } from './gguf.ts';
import { ggufConfig } from './gguf-config.ts';
import { ggufAt } from './gguf-place.ts';
import { readJson } from './json.ts';

/** A model's config in Hugging Face's words, and where it stands, for messages. */
export interface ModelConfig {
  json: Record<string, unknown>;
  /** The file, with `: config.json` in words where it is in a folder. */
  where: string;
}

const HUGGING_FACE = 'config.json';
/** OpenCLIP's, which counts where a folder has no `config.json`. */
const OPEN_CLIP = 'open_clip_config.json';

/** The name of a folder's config; of one without any Hugging Face's. */
const configName = (folder: string): string =>
  [HUGGING_FACE, OPEN_CLIP].find((name) => existsSync(join(folder, name))) ?? HUGGING_FACE;

/** Whether a folder has a config. */
export const hasModelConfig = (folder: string): boolean => existsSync(join(folder, configName(folder)));

/**
 * Reads the config of a model.
 *
 * @param place A folder in Hugging Face's layout, a GGUF file, or a folder that holds one.
 * @throws UserError where there is none, or none that is an object.
 */
export async function readModelConfig(place: string): Promise<ModelConfig> {
  const gguf = await ggufAt(place);
  if (gguf !== undefined) return { json: await ggufConfig(await openGguf(gguf)), where: `subject ${gguf}: metadata` };
  const name = configName(place);
  const path = join(place, name);
  const json = await readJson(path, 'subject');
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
    // OpenCLIP's names no type itself.
    const type = name === OPEN_CLIP ? { model_type: 'open_clip' } : {};
    return { json: { ...json, ...type }, where: `subject ${place}: ${name}` };
  }
  throw new UserError(`subject ${path}: expected a JSON object.`);
}
