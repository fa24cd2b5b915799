/** @file The config of a model at a place: `config.json` of a Hugging Face folder, or what a GGUF file's metadata say. */
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

/**
 * Reads the config of a model.
 *
 * @param place A folder in Hugging Face's layout, a GGUF file, or a folder that holds one.
 * @throws UserError where there is none, or none that is an object.
 */
export async function readModelConfig(place: string): Promise<ModelConfig> {
  const gguf = await ggufAt(place);
  if (gguf !== undefined) return { json: await ggufConfig(await openGguf(gguf)), where: `subject ${gguf}: metadata` };
  const path = join(place, 'config.json');
  const json = await readJson(path, 'subject');
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
    return { json: json as Record<string, unknown>, where: `subject ${place}: config.json` };
  }
  throw new UserError(`subject ${path}: expected a JSON object.`);
}
