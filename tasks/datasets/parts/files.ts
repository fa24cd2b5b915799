/** @file Files that a person names in a dataset's options: here, on the hub, or on GitHub. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type DatasetContext, type OptionsSchema, UserError } from '../../../harness/contract.ts';
import { githubData, hubData, isOnGithub, isOnHub, NotDownloaded } from '../../../harness/kit/index.ts';

/** One place, or several of which the first is taken that can be had. */
export type PathOption = string | readonly string[];

/** The type of such an option; `description` for its own place. */
export const pathSchema = {
  type: ['string', 'array'],
  minLength: 1,
  minItems: 1,
  items: { type: 'string', minLength: 1 },
} as const;

/** Schema of an option that names a file or folder. */
export const pathOption = (description: string): OptionsSchema[string] => ({
  ...pathSchema,
  description:
    `${description} Relative to the suite's file, or else to the current folder; or hub:OWNER/REPO/PATH@REVISION of a data set on the ` +
    'hub, or github:OWNER/REPO/PATH@COMMIT; of a list of places, the first that can be had is taken, and the result says which.',
});

/** Data that were found. */
export interface Source {
  /** The file or folder on this machine. */
  path: string;
  /** Which place it is of those that were named. */
  choice: number;
  /** For results: the name of the file, or its place elsewhere and the commit. */
  name: string;
  /** Where it was fetched from; undefined for files of this machine. */
  from?: 'the hub' | 'GitHub';
  /** Whether others could have been taken. */
  oneOfSeveral: boolean;
}

/** Where a dataset looks for files. */
export interface Search {
  /** The dataset's id, for errors. */
  dataset: string;
  context: Pick<DatasetContext, 'baseDir' | 'download'>;
}

/** Sets of files of a folder, of which one must be whole; without it the path is that of one file. */
export type FileSets = readonly (readonly string[])[];

/** Of a place that names a folder, the files that must lie in it; undefined of one that names a file. */
export type SetsOf = (place: string) => FileSets | undefined;

/** Data here. @throws UserError where they are not. */
function localSource(place: string, baseDir: string, sets: FileSets | undefined): Pick<Source, 'path' | 'name'> {
  const path = resolve(baseDir, place);
  const missing = (file: string) => new UserError(`there is no ${file}`);
  if (!existsSync(path)) throw missing(path);
  const lacks = (set: readonly string[]) => set.find((file) => !existsSync(join(path, file)));
  if (sets && !sets.some((set) => lacks(set) === undefined)) throw missing(join(path, lacks(sets[0]!)!));
  return { path, name: basename(path) };
}

/** Data at one place, fetched where they are not here. */
async function sourceAt(place: string, { baseDir, download }: Search['context'], files: FileSets | undefined) {
  if (isOnHub(place)) return { ...(await hubData(place, { files, download })), from: 'the hub' as const };
  if (isOnGithub(place)) return { ...(await githubData(place, { files, download })), from: 'GitHub' as const };
  return localSource(place, baseDir, files);
}

/**
 * The data that an option names: of several places the first that has them.
 *
 * @param setsOf Of a place that names a folder, the files that must lie in it.
 * @throws UserError when none is named, or none can be had; NotDownloaded where one could be by downloading it.
 */
export async function findData(
  { dataset, context }: Search,
  option: string,
  value: PathOption | undefined,
  setsOf: SetsOf = () => undefined,
): Promise<Source> {
  if (value === undefined) {
    throw new UserError(
      `dataset ${dataset}: expected the option '${option}', found none; say in the suite where it lies.`,
    );
  }
  const places = [value].flat();
  const reasons: string[] = [];
  let away: NotDownloaded | undefined;
  for (const [choice, place] of places.entries()) {
    try {
      const found = await sourceAt(place, context, setsOf(place));
      return { ...found, choice, oneOfSeveral: places.length > 1 };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // It may have been out of reach when the run was planned, with one after it.
      if (error instanceof NotDownloaded) away ??= error;
      reasons.push(error.message.replace(/\.$/, ''));
    }
  }
  if (away) throw away;
  throw new UserError(
    `dataset ${dataset}: ${option}: ${reasons.join('; ')}; put the data there, or change the suite's '${option}'.`,
  );
}

/** What a result says of data that were fetched, or of which there was a choice; nothing where all were named one by one. */
export function sourceNotes(sources: readonly Source[]): string[] {
  if (!sources.some(({ from, oneOfSeveral }) => from !== undefined || oneOfSeveral)) return [];
  const parts = [undefined, 'the hub', 'GitHub'].flatMap((origin) => {
    const names = sources.filter(({ from }) => from === origin).map(({ name }) => name);
    if (names.length === 0) return [];
    return origin === undefined ? `local files ${names.join(', ')}` : `${names.join(', ')} of ${origin}`;
  });
  return [`data: ${parts.join('; ')}`];
}
