/** @file Files of data in repositories elsewhere: what is meant by a path, and what asking for them takes and gives. */
import { readdir } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { someOf, UserError } from '../errors.ts';
import { type Environment, exists } from './hub-cache.ts';
import { isOnHub } from './hub-reference.ts';

/** Files that hold texts or tables. */
export const DATA_FILE = /\.(parquet|csv|tsv|jsonl|json|txt)$/;

/** It would have to be downloaded, which was not asked for. */
export class NotDownloaded extends UserError {}

export const notDownloaded = (reference: string): NotDownloaded =>
  new NotDownloaded(`${reference}: not downloaded yet, or no longer there: run the command again.`);

export const isOnGithub = (path: string): boolean => path.startsWith('github:');

/** JSON Schema's pattern of a path that is not that of a place elsewhere. */
export const LOCAL_PATH = '^(?!hub:|github:)';

/** Whether a path is that of a place elsewhere, which means the same in every folder. */
export const isRemote = (path: string): boolean => isOnHub(path) || isOnGithub(path);

/** Where data are now, and what they are. */
export interface RemoteData {
  /** The file, or the folder of the files that were asked for. */
  path: string;
  /** `owner/name/path@0123456`, for people. */
  name: string;
}

/** How to find them. */
export interface RemoteDataOptions {
  /**
   * Sets of files under the path, of which the first that is whole is taken; without it the path is that of a file, or that of a
   * folder with only one file of data.
   */
  files?: readonly (readonly string[])[] | undefined;
  /** Whether what is not in the cache may be downloaded. Default true. */
  download?: boolean | undefined;
  /** Default `process.env`. */
  env?: Environment;
  retryDelayMs?: number;
}

/** Names in a message. */
const SHOWN = 6;

/** The files of a repository that are meant by a path. @throws UserError saying what is there instead. */
export function filesAt(
  all: readonly string[],
  path: string,
  reference: string,
  sets: RemoteDataOptions['files'],
): string[] {
  const under = all.filter((file) => path === '' || file.startsWith(`${path}/`));
  if (sets) {
    const whole = sets
      .map((set) => set.map((file) => posix.join(path, file)))
      .find((set) => set.every((file) => all.includes(file)));
    if (whole) return whole;
    const named = (set: readonly string[]) => (set.length > SHOWN ? someOf(set, SHOWN) : set.join(' and '));
    throw new UserError(
      `${reference}: expected ${sets.map(named).join(', or ')}; found ${under.length > 0 ? someOf(under, SHOWN) : 'none of them'}.`,
    );
  }
  if (all.includes(path)) return [path];
  const data = under.filter((file) => DATA_FILE.test(file));
  if (data.length === 1) return data;
  const found = data.length === 0 ? 'none' : someOf(data);
  throw new UserError(
    `${reference}: expected one file of data (.parquet, .csv, .tsv, .jsonl, .json, .txt); found ${found}: name it.`,
  );
}

/** All files under a folder, with `/` between their parts; none where there is no such folder. */
export async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')).sort();
}

/** Of the files under `folder` those that `choose` takes, where all of them are there; undefined otherwise. */
export async function filesHere(
  folder: string,
  choose: (files: readonly string[]) => string[],
): Promise<string[] | undefined> {
  try {
    const chosen = choose(await filesUnder(folder));
    const present = await Promise.all(chosen.map((file) => exists(join(folder, file))));
    return present.every(Boolean) ? chosen : undefined;
  } catch {
    return undefined;
  }
}
