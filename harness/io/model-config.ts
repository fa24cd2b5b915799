/** @file The file in which a model's folder says what it is. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readJson } from './json.ts';

/** Hugging Face's, and OpenCLIP's own, which counts where the other is absent. */
export const MODEL_CONFIGS = ['config.json', 'open_clip_config.json'] as const;

/** The `model_type` that a config of OpenCLIP's is given: it names none itself. */
const OPEN_CLIP = 'open_clip';

/** Where a folder's config lies; of one without any the place of Hugging Face's. */
export function modelConfigPath(folder: string): string {
  const name = MODEL_CONFIGS.find((file) => existsSync(join(folder, file))) ?? MODEL_CONFIGS[0];
  return join(folder, name);
}

/**
 * The fields of a folder's config.
 *
 * @throws UserError when there is none, or it is no JSON object.
 */
export async function readModelConfig(folder: string): Promise<Record<string, unknown>> {
  const path = modelConfigPath(folder);
  const json = await readJson(path, 'subject');
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError(`subject: ${path}: expected a JSON object.`);
  }
  return path.endsWith(MODEL_CONFIGS[1]) ? { ...json, model_type: OPEN_CLIP } : { ...json };
}
