/** @file A lock file that tells a living holder from a dead one, so that a killed run never blocks the next. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { writeError } from '../io/atomic.ts';
import { ensureFolder } from '../io/ensure-folder.ts';

interface Holder {
  pid: number;
  host: string;
  /** Start time of the process: a process id alone may have been given to another process since. */
  started: string;
  /** The run of the process, the same in all its threads: its own id without it was left by a predecessor. */
  run?: string;
}

/** How often to look again: another thread of this process ends a step soon, another process has its own run to do. */
const POLL_MS = { thread: 10, process: 250 };

/** Threads that a process starts inherit its environment data, so that they know one another's locks. */
const RUN = 'saxbench store run';
if (getEnvironmentData(RUN) === undefined) setEnvironmentData(RUN, randomUUID());
const ownRun = getEnvironmentData(RUN) as string;

const isOwn = (holder: Holder) => holder.run === ownRun;

/** Field 22 of /proc/<pid>/stat counts from behind the command's name, which may hold spaces. Empty elsewhere. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(holder: Holder): boolean {
  if (isOwn(holder) || holder.host !== hostname()) return true;
  if (holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.started === '' || holder.started === startedAt(holder.pid);
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function tryTake(path: string): Promise<boolean> {
  try {
    await ensureFolder(dirname(path));
    const handle = await open(path, 'wx');
    try {
      const { pid } = process;
      const holder: Holder = { pid, host: hostname(), started: startedAt(pid), run: ownRun };
      await handle.writeFile(JSON.stringify(holder));
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeError(path, error);
  }
}

/**
 * Runs `work` while holding the lock at `path`. Waits for a living holder (`onWait` is told once which other process that
 * is) and takes the lock over from a dead one. A holder on another host counts as living: delete the file when it is not.
 *
 * @throws UserError when the lock cannot be written; the signal's reason when aborted while waiting.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { onWait?: (holder: string) => void; signal?: AbortSignal } = {},
): Promise<T> {
  let told = false;
  let unreadable = 0;
  while (!(await tryTake(path))) {
    const holder = await holderOf(path);
    // A file without content is being written right now, or was left by a kill in just that moment.
    unreadable = holder ? 0 : unreadable + 1;
    if (unreadable > 8 || (holder && !isAlive(holder))) {
      await rm(path, { force: true });
      continue;
    }
    const own = holder !== undefined && isOwn(holder);
    if (holder && !own && !told) options.onWait?.(`process ${holder.pid} on ${holder.host}`);
    told ||= holder !== undefined && !own;
    await sleep(own ? POLL_MS.thread : POLL_MS.process, undefined, { signal: options.signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
