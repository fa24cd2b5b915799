/** @file Who holds a lock, and whether that process is still there. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

export interface Holder {
  pid: number;
  host: string;
  /** Start time of the process: a process id alone may have been given to another process since. */
  started: string;
  /** The run of the process, the same in all its threads: its own id without it was left by a predecessor. */
  run?: string;
  /** Keys of steps that the holder reads while it holds the lock. */
  uses?: readonly string[];
}

/** Threads that a process starts inherit its environment data, so that they know one another's locks. */
const RUN = 'saxbench store run';
if (getEnvironmentData(RUN) === undefined) setEnvironmentData(RUN, randomUUID());
const ownRun = getEnvironmentData(RUN) as string;

/** This process as a holder. */
export function ownHolder(uses?: readonly string[]): Holder {
  const { pid } = process;
  return { pid, host: hostname(), started: startedAt(pid), run: ownRun, ...(uses ? { uses } : {}) };
}

export const isOwn = (holder: Holder): boolean => holder.run === ownRun;

/** In words; `renewed` is when it last said that it is at work. */
export function nameOf({ pid, host }: Holder, renewed: Date | undefined): string {
  const when = renewed ? ` (at work ${renewed.toISOString().slice(0, 19)}Z)` : '';
  return `process ${pid} on ${host}${host === hostname() ? when : `${when}, another host`}`;
}

/** Field 22 of /proc/<pid>/stat counts from behind the command's name, which may hold spaces. Empty elsewhere. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/**
 * Whether a holder may be at work: on this host its process tells, on another one only the time since it last renewed its
 * lease.
 *
 * @param idleMs That time, by the clock of this host.
 */
export function isAlive(holder: Holder, idleMs: number, leaseMs: number): boolean {
  if (isOwn(holder)) return true;
  if (holder.host !== hostname()) return idleMs < leaseMs;
  if (holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.started === '' || holder.started === startedAt(holder.pid);
}
