/** @file Where a checkpoint lies: a folder, or one file of weights in it, and what a person said about it. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { readError } from '../io/json.ts';

export interface Place {
  folder: string;
  /** The file that was named, where it was no folder. */
  file?: string;
  /** Names in the folder, sorted. */
  names: string[];
  has(name: string): boolean;
  /** What a person says of weights that do not say it themselves, by name: `architecture`, `k`, a mapping of tensors. */
  given: Readonly<Record<string, unknown>>;
  /** The whole path from the root: names of folders tell a site (`layer_12/width_16k/average_l0_82`), whatever it is called from. */
  path: string;
}

/** @throws UserError when there is nothing, or it cannot be read. */
export async function openPlace(named: string, given: Place['given'] = {}): Promise<Place> {
  const path = resolve(named);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      throw new UserError(`checkpoint ${path} does not exist: expected a folder or a file of weights.`);
    }
    throw readError('checkpoint', path, error);
  });
  const folder = found.isDirectory() ? path : dirname(path);
  const names = (
    await readdir(folder).catch((error: unknown) => {
      throw readError('checkpoint', folder, error);
    })
  ).sort();
  const has = (name: string) => names.includes(name);
  return { folder, ...(found.isDirectory() ? {} : { file: basename(path) }), names, has, given, path };
}

/** The only file of the place with one of these endings: the one that was named, or the one that there is. */
export function onlyFile({ file, names }: Place, endings: RegExp): string | undefined {
  if (file !== undefined) return endings.test(file) ? file : undefined;
  const fitting = names.filter((name) => endings.test(name));
  return fitting.length === 1 ? fitting[0] : undefined;
}
