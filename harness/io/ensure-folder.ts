/** @file Makes a folder with its parents, without `mkdir`'s endless loop on file systems that refuse new folders. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes `path` and what is missing above it. Node's own `mkdir(…, { recursive: true })` never returns where a folder
 * cannot be made although its parent exists and the error is ENOENT, as under /proc.
 *
 * @throws The error of the file system for the first folder that cannot be made.
 */
export async function ensureFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found) break;
    missing.push(folder);
  }
  for (const folder of missing.reverse()) {
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Another process may have made it in the meantime.
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
