/** @file Files of data sets on the hub: `hub:OWNER/REPO/PATH@REVISION` to where they lie in the usual cache. */
import { readdir } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { someOf, UserError } from '../errors.ts';
import { resolveModel } from './hub.ts';
import { type Environment, exists, hubSettings } from './hub-cache.ts';
import { hubReference } from './hub-reference.ts';

/** Files that hold texts or tables. */
const DATA = /\.(parquet|csv|tsv|jsonl|json|txt)$/;

/** It would have to be downloaded, which was not asked for. */
export class NotDownloaded extends UserError {}

/** Where data are now, and what they are. */
export interface HubData {
  /** The file, or the folder of the files that were asked for. */
  path: string;
  /** `owner/name/path@0123456`, for people. */
  name: string;
}

/** How to find them. */
export interface HubDataOptions {
  /**
   * Sets of files under the path, of which the first that is whole is taken; without it the path is that of a file, or that of a
   * folder with only one file of data.
   */
  files?: readonly (readonly string[])[];
  /** Whether what is not in the cache may be downloaded. Default true. */
  download?: boolean | undefined;
  /** Default `process.env`. */
  env?: Environment;
  retryDelayMs?: number;
}

/** The files of a repository that are meant by a path. @throws UserError saying what is there instead. */
function filesAt(all: readonly string[], path: string, reference: string, sets: HubDataOptions['files']): string[] {
  const under = all.filter((file) => path === '' || file.startsWith(`${path}/`));
  if (sets) {
    const whole = sets
      .map((set) => set.map((file) => posix.join(path, file)))
      .find((set) => set.every((file) => all.includes(file)));
    if (whole) return whole;
    throw new UserError(
      `${reference}: expected ${sets.map((set) => set.join(' and ')).join(', or ')}; found ${someOf(under)}.`,
    );
  }
  if (all.includes(path)) return [path];
  const data = under.filter((file) => DATA.test(file));
  if (data.length === 1) return data;
  const found = data.length === 0 ? 'none' : someOf(data);
  throw new UserError(
    `${reference}: expected one file of data (.parquet, .csv, .tsv, .jsonl, .json, .txt); found ${found}: name it.`,
  );
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')).sort();
}

/**
 * The local place of data on the hub, downloaded where they are not in the cache.
 *
 * @throws UserError for another form of reference, and where there is no such repository or file, access is refused, or the hub is out
 *   of reach and nothing is cached; NotDownloaded where downloading alone would help and was not allowed.
 */
export async function hubData(reference: string, options: HubDataOptions = {}): Promise<HubData> {
  const { id, path, revision } = hubReference(reference, 'data');
  const { files: sets, download = true, env = process.env, retryDelayMs } = options;
  let chosen: string[] = [];
  const choose = (files: readonly string[]): string[] => {
    chosen = filesAt(files, path, reference, sets);
    return chosen;
  };
  const isWhole = async (folder: string) => {
    try {
      const places = choose(await filesUnder(folder)).map((file) => join(folder, file));
      return (await Promise.all(places.map(exists))).every(Boolean);
    } catch {
      return false;
    }
  };
  const resolving = {
    kind: 'dataset' as const,
    choose,
    isWhole,
    asks: !sets && !DATA.test(path),
    env: download ? env : { ...env, HF_HUB_OFFLINE: '1' },
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  };
  try {
    // With its revision, so that no folder of that name that lies about is taken for it.
    const { folder, commit = '' } = await resolveModel(`${id}@${revision}`, resolving);
    const place = sets ? path : chosen[0]!;
    return { path: join(folder, place), name: `${posix.join(id, place)}@${commit.slice(0, 7)}` };
  } catch (error) {
    if (download || !(error instanceof UserError) || (await hubSettings(env)).offline) throw error;
    throw new NotDownloaded(`${reference}: not downloaded yet, or no longer there: run the command again.`);
  }
}
