/** @file Open, use and close a file that is read, with the user's errors told apart. */

import { type FileHandle, open } from 'node:fs/promises';
import { readError, regularFile } from './json.ts';

/**
 * Open `path` for reading, give its handle to `use`, close it whatever happens.
 *
 * @param domain Starts the error message, for example `npy`.
 * @throws UserError when the file does not exist or cannot be read.
 */
export async function withFile<T>(domain: string, path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  await regularFile(path, domain);
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw readError(domain, path, error);
  }
  try {
    return await use(handle);
  } catch (error) {
    throw readError(domain, path, error);
  } finally {
    await handle.close();
  }
}
