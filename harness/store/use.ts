/** @file When a file of a store was last used, by its time of change: for whoever prunes the store. */
import { lstat, utimes } from 'node:fs/promises';

/** Uses that are nearer to one another than this count as one. */
const USE_MS = 3_600_000;

/** Keeps the time of use. A store that is only read has none. */
export async function noteUse(file: string): Promise<void> {
  try {
    if (Date.now() - (await lstat(file)).mtimeMs > USE_MS) await utimes(file, new Date(), new Date());
  } catch {
    // Nothing depends on it.
  }
}
