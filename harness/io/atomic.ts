/** @file Atomic writes: a temporary file in the same folder, fsync, rename. A kill at any moment leaves old or new. */

import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { UserError } from '../errors.ts';
import { ensureFolder } from './ensure-folder.ts';
import { canonicalJson } from './json.ts';

/** What the person can do about an operating-system error; codes that are not here are our own faults. */
const MENDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space or choose another folder',
  EDQUOT: 'the disk quota is used up: free some space or choose another folder',
  EACCES: 'no permission to write there: choose another folder or change its permissions',
  EPERM: 'no permission to write there: choose another folder or change its permissions',
  EROFS: 'the file system is read-only: choose another folder',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another folder',
  EEXIST: 'a part of the path is a file, not a folder: choose another folder',
  EISDIR: 'the path is a folder, a file is expected: choose another name',
  ENAMETOOLONG: 'the path is too long: choose a shorter one',
  ENOENT: 'the folder cannot be made: choose another one',
  EMFILE: 'too many open files: raise `ulimit -n`',
  EIO: 'the disk reports an input/output error',
};

/** A `UserError` for an error of the file system while writing `path`; any other error comes back unchanged. */
export function writeError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const mend = code === undefined ? undefined : MENDS[code];
  return mend === undefined ? error : new UserError(`cannot write ${path}: ${mend} (${code}).`);
}

export interface AtomicOptions {
  /**
   * Wait until the disk has it. Default true. Without, a power cut (not a killed process) may leave a damaged file:
   * for what is checked on reading and can be made again.
   */
  durable?: boolean;
}

/** Whether a file is one that an interrupted {@link atomicWrite} left. */
export const isLeftover = (name: string): boolean => /^\..+\.\d+\.\d+\.\d+\.tmp$/.test(name);

let serial = 0;

/**
 * Write a file through `write(handle)`, atomically: until everything is on the disk, `path` keeps its old content.
 * Folders on the way are made. The temporary file is removed when anything fails.
 *
 * @throws UserError naming the path when the disk is full or the folder cannot be written.
 */
export async function atomicWrite(
  path: string,
  write: (handle: FileHandle) => Promise<void>,
  { durable = true }: AtomicOptions = {},
): Promise<void> {
  const target = resolve(path);
  serial += 1;
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.${threadId}.${serial}.tmp`);
  try {
    await ensureFolder(dirname(target));
    const handle = await open(temporary, 'wx');
    try {
      await write(handle);
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(path, error);
  }
  if (durable) await syncFolder(dirname(target));
}

/** Makes the rename itself durable. Some file systems refuse to sync a folder; the file is whole all the same. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL', 'EACCES', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      throw error;
    }
  }
}

/** Write bytes or UTF-8 text atomically. See {@link atomicWrite}. */
export async function atomicWriteFile(path: string, data: string | Uint8Array, options?: AtomicOptions): Promise<void> {
  await atomicWrite(path, (handle) => handle.writeFile(data), options);
}

/**
 * Write a value as indented JSON with sorted keys and a final newline, atomically.
 *
 * @throws Error naming the field when the value holds NaN, an infinity or something JSON cannot carry.
 */
export async function atomicWriteJson(path: string, value: unknown, options?: AtomicOptions): Promise<void> {
  await atomicWriteFile(path, `${canonicalJson(value, 2)}\n`, options);
}
