/** @file The files of what is submitted: read once, hashed, kept to be written beside the submission. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { outsideCode } from '../code/bundle.ts';
import type { Plugin } from '../contract/plugin.ts';
import { UserError } from '../errors.ts';
import { atomicWriteFile } from '../io/atomic.ts';
import { sha256, sha256File } from '../io/hash.ts';
import { readError } from '../io/json.ts';
import type { SourceFile } from '../schema/submission.generated.ts';

/** Bytes of a plug-in with its data: it lies in a repository that everybody clones. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Names that every file system has and no shell reads as something else. */
const PLAIN_PATH = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

/** A plug-in's files as they were when they were read, itself first. */
export interface PluginFiles {
  files: SourceFile[];
  /** Their bytes, in the same order. */
  contents: Uint8Array[];
}

async function readOne(folder: string, path: string, where: string): Promise<[SourceFile, Uint8Array]> {
  if (!PLAIN_PATH.test(path) || path.split('/').some((part) => /^\.+$/.test(part))) {
    throw new UserError(
      `${where}: expected its files in its own folder, with names of letters, digits, dots and dashes; found ${path}.`,
    );
  }
  const bytes = await readFile(join(folder, path)).catch((error: unknown) => {
    throw readError('submit', join(folder, path), error);
  });
  return [{ path, bytes: bytes.length, sha256: sha256(bytes) }, bytes];
}

/**
 * Reads a plug-in with all its files: what it imports of its own folder, and the data that it names.
 *
 * @throws UserError for a plug-in that others cannot run or read whole: code that cannot be followed or lies elsewhere, packages
 * that are not there, files that it reads without naming them.
 */
export async function pluginFiles(file: string, { files: data }: Pick<Plugin, 'files'>): Promise<PluginFiles> {
  const where = `submit ${file}`;
  const path = await realpath(file);
  const { unfollowed, readsFiles, files: code, inlined } = await outsideCode(path);
  if (unfollowed.length > 0) {
    throw new UserError(
      `${where}: expected code that can be followed; found ${unfollowed[0]}: import with literal paths.`,
    );
  }
  if (inlined.length > 0) {
    throw new UserError(
      `${where}: expected imports of saxbench, Node and its own files; found the package ${inlined[0]}: take what you need of it into your files.`,
    );
  }
  if (readsFiles && !data) {
    throw new UserError(
      `${where}: reads files by itself; expected them named, files: ['table.json'], so that they are submitted and hashed too.`,
    );
  }
  const folder = dirname(path);
  const own = code.map((each) => relative(folder, each).split(sep).join('/'));
  const names = [...new Set([basename(path), ...own, ...(data ?? [])])];
  const read: [SourceFile, Uint8Array][] = [];
  for (const name of names) read.push(await readOne(folder, name, where));
  const bytes = read.reduce((sum, [each]) => sum + each.bytes, 0);
  if (bytes > MAX_BYTES)
    throw new UserError(`${where}: expected code and data of at most ${MAX_BYTES} bytes; found ${bytes}.`);
  return { files: read.map(([each]) => each), contents: read.map(([, each]) => each) };
}

/** Writes a plug-in's files as they were read. */
export async function writeFiles(folder: string, { files, contents }: PluginFiles): Promise<void> {
  for (const [i, { path }] of files.entries()) await atomicWriteFile(join(folder, path), contents[i]!);
}

/** The files of a checkpoint, with hashes; their content stays where it is. */
export async function checkpointFiles(folder: string, names: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of [...names].sort()) {
    const { size } = await stat(join(folder, path)).catch((error: unknown) => {
      throw readError('submit', join(folder, path), error);
    });
    files.push({ path, bytes: size, sha256: await sha256File(join(folder, path)) });
  }
  return files;
}

/** The first file that is not as it was, in words. */
export function changedFile(before: readonly SourceFile[], now: readonly SourceFile[]): string | undefined {
  const known = new Map(now.map((each) => [each.path, each]));
  const other = before.find(({ path, sha256 }) => known.get(path)?.sha256 !== sha256);
  if (other) return `${other.path} ${known.has(other.path) ? 'is another' : 'is missing'}`;
  const more = now.find(({ path }) => !before.some((each) => each.path === path));
  return more && `${more.path} is new`;
}

/**
 * The files of a submission, read from a folder.
 *
 * @throws UserError where one is missing or is not the one that was submitted.
 */
export async function submittedFiles(
  folder: string,
  files: readonly SourceFile[],
  where: string,
): Promise<PluginFiles> {
  const read: [SourceFile, Uint8Array][] = [];
  for (const { path } of files) read.push(await readOne(folder, path, where));
  const changed = changedFile(
    files,
    read.map(([each]) => each),
  );
  if (changed !== undefined) {
    throw new UserError(`${where}: expected the code in ${folder} to be what was submitted; ${changed}.`);
  }
  return { files: read.map(([each]) => each), contents: read.map(([, each]) => each) };
}
