/** @file Where a GGUF file is meant: by its own path, or by that of a folder which holds it and no Hugging Face layout. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../errors.ts';

const ENDING = '.gguf';

/**
 * The GGUF file at a place of a model; undefined where a folder in Hugging Face's layout is meant, or nothing is there.
 *
 * @throws UserError for a folder without `config.json` that holds several.
 */
export async function ggufAt(place: string): Promise<string | undefined> {
  const found = await stat(place).catch(() => undefined);
  if (found?.isFile()) return place.endsWith(ENDING) ? place : undefined;
  if (!found?.isDirectory()) return undefined;
  const files = await readdir(place).catch((): string[] => []);
  if (files.includes('config.json')) return undefined;
  const ggufs = files.filter((file) => file.endsWith(ENDING) && !file.startsWith('.')).sort();
  if (ggufs.length <= 1) return ggufs[0] && join(place, ggufs[0]);
  throw new UserError(
    `subject ${place}: expected one ${ENDING} file, found ${ggufs.length}: name one of them, as ${join(place, ggufs[0]!)}.`,
  );
}

/** The name of a model at a place: its folder's, or that of its GGUF file without the ending. */
export const placeName = (place: string): string => basename(place, ENDING);
