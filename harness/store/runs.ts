/** @file Locks of whole runs: which steps a living process reads, so that nobody removes them from under it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Holder } from './holder.ts';
import { isLiving, type Owner, ownerOf, tryLock } from './lock.ts';

/** How the names of such locks begin. */
export const RUN_LOCK = 'run-';

async function runLocks(locks: string): Promise<{ path: string; owner: Owner | undefined }[]> {
  const names = await readdir(locks).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const paths = names.filter((name) => name.startsWith(RUN_LOCK)).map((name) => join(locks, name));
  const found = [];
  for (const path of paths) found.push({ path, owner: await ownerOf(path) });
  return found;
}

/** Holders that are at work, with what they use. */
export async function livingRuns(locks: string): Promise<{ holder: Holder; renewed: Date | undefined }[]> {
  const living = (await runLocks(locks)).flatMap(({ owner }) => (owner && isLiving(owner) ? [owner] : []));
  return living.map(({ holder, renewed }) => ({ holder: holder!, renewed }));
}

/** Removes what killed runs left. */
export async function sweepDeadRuns(locks: string): Promise<void> {
  for (const { path, owner } of await runLocks(locks)) {
    // Taken over and given back, it is gone. Folders in preparation have a name of their own.
    if (owner && !isLiving(owner)) await tryLock(path, async () => {}).catch(() => undefined);
  }
}
