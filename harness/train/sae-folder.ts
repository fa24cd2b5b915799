/** @file The folder that `saxbench train` writes an SAE into: another SAE in it is never replaced unasked. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { isLeftover, writeError } from '../io/atomic.ts';
import { readJson } from '../io/json.ts';

/** What training says about itself; its `key` is that of the fit's step. */
export const TRAINING_RECORD = 'training.json';

/**
 * @param key Of the fit that is to be written there.
 * @throws UserError unless the folder is new, empty, holds that very fit, or holds another and `overwrite` is given;
 *   when it is no folder.
 */
export async function refuseOtherSae(folder: string, key: string, overwrite: boolean): Promise<void> {
  const all: string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw writeError(folder, error);
  });
  // Whoever was killed while writing its record left nothing that anybody needs.
  const names = all.filter((name) => !isLeftover(name));
  if (names.length === 0) return;
  const record = join(folder, TRAINING_RECORD);
  if (!names.includes(TRAINING_RECORD)) {
    throw new UserError(
      `train: --out ${folder}: expected a new or empty folder, or one that saxbench train wrote; found ${names.sort()[0]} in it.`,
    );
  }
  const found = (await readJson(record, 'train')) as { key?: unknown } | null;
  if (found?.key === key || overwrite) return;
  throw new UserError(
    `train: --out ${folder}: holds another SAE (other options, seed, data or code); name another folder, or add --overwrite.`,
  );
}

/**
 * Takes away what an earlier training left, so that no file of another layout stays beside the new ones. Its record stays
 * until it is replaced: whoever is killed in between leaves a folder that training knows.
 */
export async function clearSaeFolder(folder: string): Promise<void> {
  const names = await readdir(folder);
  const known = names.every(isLeftover) || names.includes(TRAINING_RECORD);
  if (!known) return;
  for (const name of names) if (name !== TRAINING_RECORD) await rm(join(folder, name), { recursive: true });
}
