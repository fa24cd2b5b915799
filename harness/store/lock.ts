/**
 * @file A lock that is a lease: it tells a living holder from a dead one, so that a killed run never blocks the next.
 *
 * The lock is a folder with one file, named after its owner and after nobody else ever. Taking it is one rename of a
 * prepared folder, which succeeds only where there is no lock or an empty one; taking it over from a dead owner and
 * giving it back remove the file of that very name. So nobody can remove a lock that somebody took in the meantime.
 *
 * A holder renews its lease by adding a line to its file as long as it works. Whoever waits on the same host asks the
 * process, on another host the time of the last line. Who slept through its lease finds its file gone.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import { writeError } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';
import { type Holder, isAlive, isOwn, nameOf, ownHolder } from './holder.ts';

/** How often to look again: another thread of this process ends a step soon, another process has its own run to do. */
const POLL_MS = { thread: 10, process: 250 };

/** How long a holder on another host counts as living after it was last heard of. Clocks may differ by less than that. */
export const LEASE_MS = 300_000;

/** How many times a holder renews its lease while one lasts. */
const RENEWALS = 10;

/** What the lock's folder is called while it is prepared. */
export const PREPARED = '.new';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** Ignores that what was to be removed or read is gone or in use by another owner. */
async function unless(codes: readonly string[], action: Promise<unknown>): Promise<void> {
  await action.catch((error: unknown) => {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
  });
}

/** The owner of a lock: its unique name, what it says about itself unless that cannot be read, and when it last did. */
export interface Owner {
  id: string;
  holder?: Holder;
  renewed?: Date;
}

/** What somebody has who holds a lock. */
export interface Lease {
  /** The owner's name, which no other owner of any lock has. */
  owner: string;
  /** Whether it was not taken over in the meantime. */
  held(): Promise<boolean>;
}

/** Who holds the lock at `path`; undefined when nobody does. */
export async function ownerOf(path: string): Promise<Owner | undefined> {
  const [id] = await readdir(path).catch((error: unknown) => {
    // Without the folder above it, or with a file there, nobody has one; taking it will say why not.
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return [];
    throw error;
  });
  if (id === undefined) return undefined;
  const file = join(path, id);
  try {
    // Lines that renew the lease are empty: JSON does not mind them.
    const holder = JSON.parse(await readFile(file, 'utf8')) as Holder | null;
    return { id, ...(holder ? { holder } : {}), renewed: (await stat(file)).mtime };
  } catch (error) {
    // Given back meanwhile, or damaged. What cannot be read for another reason may be the lock of a living one.
    if (error instanceof SyntaxError || ['ENOENT', 'EISDIR'].includes(codeOf(error) ?? '')) return { id };
    throw new UserError(`cannot read the lock ${file} (${codeOf(error)}): mend that, or remove it once nobody works.`);
  }
}

/** Whether an owner may be at work. One that says nothing readable was damaged: the file is written before it is a lock. */
export function isLiving({ holder, renewed }: Owner, leaseMs = LEASE_MS): boolean {
  return holder !== undefined && isAlive(holder, Date.now() - (renewed?.getTime() ?? 0), leaseMs);
}

/** Adds a line to an owner's file, unless somebody removed it. */
async function renew(file: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_APPEND);
  await handle.write('\n').finally(() => handle.close());
}

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
  leaseMs?: number;
}

/** Prepares a lock, tries to take it as `attempt` says, and gives it back after `work`. */
async function holding<T>(
  path: string,
  { uses, leaseMs = LEASE_MS }: Pick<LockOptions, 'uses' | 'leaseMs'>,
  attempt: (place: () => Promise<boolean>) => Promise<boolean>,
  work: (lease: Lease) => Promise<T>,
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
        } else {
          // Prepared long ago, it would look like the lease of a dead one.
          await renew(join(prepared, id));
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
  const file = join(path, id);
  const timer = setInterval(() => renew(file).catch(() => undefined), leaseMs / RENEWALS).unref();
  const held = () =>
    stat(file).then(
      () => true,
      () => false,
    );
  try {
    return await work({ owner: id, held });
  } finally {
    clearInterval(timer);
    await unless(['ENOENT'], unlink(file));
    await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rmdir(path));
  }
}

/**
 * Runs `work` while holding the lock at `path`. Waits for a living holder and takes the lock over from a dead one.
 *
 * @throws UserError when the lock cannot be written; the signal's reason when aborted while waiting.
 */
export async function withLock<T>(
  path: string,
  work: (lease: Lease) => Promise<T>,
  { onWait, signal, uses, leaseMs }: LockOptions = {},
): Promise<T> {
  let told = false;
  const attempt = async (place: () => Promise<boolean>) => {
    for (;;) {
      const owner = await ownerOf(path);
      const living = owner !== undefined && isLiving(owner, leaseMs);
      if (owner && !living) await removeOwner(path, owner);
      if (!living) {
        if (await place()) return true;
        continue;
      }
      const own = isOwn(owner.holder!);
      if (!own && !told) onWait?.(nameOf(owner.holder!, owner.renewed));
      told ||= !own;
      await sleep(own ? POLL_MS.thread : POLL_MS.process, undefined, { signal });
    }
  };
  return (await holding(path, { uses, leaseMs }, attempt, work)) as T;
}

/** Runs `work` while holding the lock at `path`, unless a living process has it. Waits for nobody. */
export async function tryLock(path: string, work: () => Promise<void>): Promise<boolean> {
  let done = false;
  await holding(
    path,
    {},
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
