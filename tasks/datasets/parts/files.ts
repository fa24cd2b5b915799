/** @file Files that a person names in a dataset's options: here, or on the hub. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type DatasetContext, type OptionsSchema, UserError } from '../../../harness/contract.ts';
import { hubData, isOnHub, NotDownloaded } from '../../../harness/kit/index.ts';

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
    'hub; of a list of both, the first that can be had is taken, and the result says which.',
});

/** Data that were found. */
export interface Source {
  /** The file or folder on this machine. */
  path: string;
  /** Which place it is of those that were named. */
  choice: number;
  /** For results: the name of the file, or its place on the hub and the commit. */
  name: string;
  onHub: boolean;
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
type FileSets = readonly (readonly string[])[];

/** Data here. @throws UserError where they are not. */
function localSource(
  place: string,
  baseDir: string,
  sets: FileSets | undefined,
): Pick<Source, 'path' | 'name' | 'onHub'> {
  const path = resolve(baseDir, place);
  const missing = (file: string) => new UserError(`there is no ${file}`);
  if (!existsSync(path)) throw missing(path);
  const lacks = (set: readonly string[]) => set.find((file) => !existsSync(join(path, file)));
  if (sets && !sets.some((set) => lacks(set) === undefined)) throw missing(join(path, lacks(sets[0]!)!));
  return { path, name: basename(path), onHub: false };
}

/**
 * The data that an option names: of several places the first that has them.
 *
 * @param sets Where a folder is named, the files that must lie in it.
 * @throws UserError when none is named, or none can be had; NotDownloaded where one could be by downloading it.
 */
export async function findData(
  { dataset, context }: Search,
  option: string,
  value: PathOption | undefined,
  sets?: FileSets,
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
      const found = isOnHub(place)
        ? { ...(await hubData(place, { files: sets, download: context.download })), onHub: true }
        : localSource(place, context.baseDir, sets);
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

/** What a result says of data that lay on the hub, or of which there was a choice; nothing where all were named one by one. */
export function sourceNotes(sources: readonly Source[]): string[] {
  if (!sources.some(({ onHub, oneOfSeveral }) => onHub || oneOfSeveral)) return [];
  const named = (hub: boolean) => sources.filter(({ onHub }) => onHub === hub).map(({ name }) => name);
  const [here, there] = [named(false), named(true)];
  const parts = [
    ...(here.length > 0 ? [`local files ${here.join(', ')}`] : []),
    ...(there.length > 0 ? [`${there.join(', ')} of the hub`] : []),
  ];
  return [`data: ${parts.join('; ')}`];
}
