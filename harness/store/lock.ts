/**
 * @file A lock that tells a living holder from a dead one, so that a killed run never blocks the next.
 *
 * The lock is a folder with one file, named after its owner and after nobody else ever. Taking it is one rename of a
 * prepared folder, which succeeds only where there is no lock or an empty one; taking it over from a dead owner and
 * giving it back remove the file of that very name. So nobody can remove a lock that somebody took in the meantime.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeError } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import { type Holder, isAlive, isOwn, nameOf, ownHolder } from './holder.ts';

/** How often to look again: another thread of this process ends a step soon, another process has its own run to do. */
const POLL_MS = { thread: 10, process: 250 };

/** What the lock's folder is called while it is prepared. */
export const PREPARED = '.new';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** Ignores that what was to be removed or read is gone or in use by another owner. */
async function unless(codes: readonly string[], action: Promise<unknown>): Promise<void> {
  await action.catch((error: unknown) => {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
  });
}

/** The owner of a lock: its unique name, and what it says about itself unless that cannot be read. */
export interface Owner {
  id: string;
  holder?: Holder;
}

/** Who holds the lock at `path`; undefined when nobody does. */
export async function ownerOf(path: string): Promise<Owner | undefined> {
  const [id] = await readdir(path).catch((error: unknown) => {
    // Without the folder above it, or with a file there, nobody has one; taking it will say why not.
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return [];
    throw error;
  });
  if (id === undefined) return undefined;
  try {
    return { id, holder: JSON.parse(await readFile(join(path, id), 'utf8')) as Holder };
  } catch {
    return { id };
  }
}

/** The holder of the lock at `path` in words: who, since when, and what to delete where nothing here can tell. */
export async function nameOfOwner(path: string, holder: Holder): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return nameOf(holder, { path, since: found?.mtime });
}

/** Whether an owner may be at work. One that says nothing readable was damaged: the file is written before it is a lock. */
export const isLiving = ({ holder }: Owner): boolean => holder !== undefined && isAlive(holder);

/** Takes the owner's own name away, whoever holds the lock now. */
const removeOwner = (path: string, { id }: Pick<Owner, 'id'>) =>
  unless(['ENOENT'], rm(join(path, id), { recursive: true }));

/** Puts the prepared folder in the lock's place. False when somebody holds it. */
async function place(prepared: string, path: string): Promise<boolean> {
  try {
    // Windows renames onto no folder, not even an empty one; elsewhere this does no harm.
    await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(path));
    await rename(prepared, path);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) return false;
    // What Windows says where somebody holds the lock.
    if (codeOf(error) === 'EPERM' && (await ownerOf(path))) return false;
    throw error;
  }
}

interface LockOptions {
  /** Told once which other process is waited for. */
  onWait?: (holder: string) => void;
  signal?: AbortSignal;
  /** Keys of steps that must stay while the lock is held. */
  uses?: readonly string[];
}

/** Prepares a lock, tries to take it as `attempt` says, and gives it back after `work`. */
async function holding<T>(
  path: string,
  uses: readonly string[] | undefined,
  attempt: (place: () => Promise<boolean>) => Promise<boolean>,
  work: (owner: string) => Promise<T>,
): Promise<T | undefined> {
  const id = randomUUID();
  const prepared = `${path}.${id}${PREPARED}`;
  let ready = false;
  let taken = false;
  try {
    taken = await attempt(async () => {
      try {
        if (!ready) {
          await ensureFolder(dirname(path));
          await mkdir(prepared);
          await writeFile(join(prepared, id), JSON.stringify(ownHolder(uses)), { flag: 'wx' });
          ready = true;
        }
        return await place(prepared, path);
      } catch (error) {
        throw writeError(path, error);
      }
    });
  } finally {
    if (!taken) await rm(prepared, { recursive: true, force: true }).catch(() => undefined);
  }
  if (!taken) return undefined;
  try {
    return await work(id);
  } finally {
    await unless(['ENOENT'], unlink(join(path, id)));
    await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(path));
  }
}

/**
 * Runs `work` while holding the lock at `path`. Waits for a living holder and takes the lock over from a dead one. A
 * holder on another host counts as living: delete the folder when it is not.
 *
 * @param work Given the owner's name, which no other owner of any lock has.
 * @throws UserError when the lock cannot be written; the signal's reason when aborted while waiting.
 */
export async function withLock<T>(
  path: string,
  work: (owner: string) => Promise<T>,
  { onWait, signal, uses }: LockOptions = {},
): Promise<T> {
  let told = false;
  const attempt = async (place: () => Promise<boolean>) => {
    for (;;) {
      const owner = await ownerOf(path);
      if (owner && !isLiving(owner)) await removeOwner(path, owner);
      if (!owner || !isLiving(owner)) {
        if (await place()) return true;
        continue;
      }
      const own = isOwn(owner.holder!);
      if (!own && !told) onWait?.(await nameOfOwner(path, owner.holder!));
      told ||= !own;
      await sleep(own ? POLL_MS.thread : POLL_MS.process, undefined, { signal });
    }
  };
  return (await holding(path, uses, attempt, work)) as T;
}

/** Runs `work` while holding the lock at `path`, unless a living process has it. Waits for nobody. */
export async function tryLock(path: string, work: () => Promise<void>): Promise<boolean> {
  let done = false;
  await holding(
    path,
    undefined,
    async (place) => {
      const owner = await ownerOf(path);
      if (owner && isLiving(owner)) return false;
      if (owner) await removeOwner(path, owner);
      return place();
    },
    async () => {
      await work();
      done = true;
    },
  );
  return done;
}
