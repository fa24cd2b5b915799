/** @file Runs a reader over mutants of good files in a thread that is watched: crashes, waits, memory, code that runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { startThread } from '../../io/thread.ts';
import { mutant } from './mutate.ts';
import { FUZZ_READERS } from './readers.ts';

/** A reader, from one of its mutants on. */
export interface FuzzJob {
  name: string;
  from: number;
}

/** What the thread is given. `at` is shared: the mutant in hand, how many were begun, the job in hand. */
export interface FuzzTask {
  jobs: FuzzJob[];
  mutants: number;
  seed: number;
  at: SharedArrayBuffer;
}

export type FuzzMessage = { type: 'wrong'; name: string; i: number; what: string } | { type: 'done' };

/** Of processor time for one mutant: other work on the machine is not the reader's fault. */
const MAX_WAIT_MS = 5000;
/** Who waits for nothing uses no processor: a mutant may take so many times as long by the clock. */
const CLOCK_FACTOR = 12;
const MAX_MEMORY = 512 * 1024 * 1024;
/** Readers with limits of their own are stopped sooner: what stops there is tried again with those limits, so many times. */
const LIMITED_WAIT_MS = 1000;
const RETRIES = 2;
const MAX_COMPLAINTS = 20;

/** Starts a watch: processor time of this process since, and at least what the clock tells at that factor, in ms. */
function startWatch(): () => number {
  const [cpu, clock] = [process.cpuUsage(), Date.now()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return Math.max((user + system) / 1000, (Date.now() - clock) / CLOCK_FACTOR);
  };
}

/** How one thread ended: all done, or stopped in a mutant. */
type End = { job: number; i: number; what: string } | undefined;

function runThread(
  task: FuzzTask,
  waitMs: number,
  complain: (name: string, i: number, what: string) => void,
): Promise<End> {
  return new Promise((resolve) => {
    const resourceLimits = { maxOldGenerationSizeMb: 400 };
    const thread = startThread(new URL('./thread.ts', import.meta.url), { workerData: task, resourceLimits });
    const place = new Int32Array(task.at);
    const before = process.memoryUsage.rss();
    let seen = -1;
    let taken = startWatch();
    let done = false;
    const stop = (what: string | undefined) => {
      clearInterval(timer);
      void thread.terminate();
      resolve(what === undefined ? undefined : { job: place[2]!, i: place[0]!, what });
    };
    const timer = setInterval(() => {
      const begun = Atomics.load(place, 1);
      if (begun !== seen) {
        seen = begun;
        taken = startWatch();
      } else if (begun > 0 && taken() > waitMs) stop(`took over ${waitMs / 1000} s`);
      if (process.memoryUsage.rss() - before > MAX_MEMORY) stop(`took over ${MAX_MEMORY} bytes`);
    }, 50);
    thread.on('message', (message: FuzzMessage) => {
      if (message.type === 'wrong') complain(message.name, message.i, message.what);
      else {
        done = true;
        stop(undefined);
      }
    });
    thread.on('error', (error) => stop(`ended the thread: ${error.name}: ${error.message}`));
    thread.on('exit', () => {
      if (!done) stop('ended the thread');
    });
  });
}

/** Reads a mutant that stopped the thread again, within the reader's own limits. */
async function again(name: string, seed: number, i: number): Promise<string | undefined> {
  const { seeds, mutate, limited } = FUZZ_READERS[name]!;
  const { target, changed } = mutant(await seeds(), mutate, seed, i);
  const folder = mkdtempSync(join(tmpdir(), 'saxbench-fuzz-'));
  const file = join(folder, target);
  writeFileSync(file, changed);
  const taken = startWatch();
  try {
    await limited!(file);
  } catch (error) {
    if (!(error instanceof UserError)) return String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return taken() > 2 * MAX_WAIT_MS ? `took ${taken()} ms within its limits` : undefined;
}

/** Readers with limits of their own in a thread by itself, the others one after another in another thread. */
async function fuzzThread(jobs: FuzzJob[], mutants: number, seed: number, limited: boolean): Promise<string[]> {
  const complaints: string[] = [];
  const complain = (name: string, i: number, what: string) =>
    complaints.push(`${name}, seed ${seed}, mutant ${i}: ${what}`);
  let retries = RETRIES;
  for (let left = jobs; left.length > 0 && complaints.length < MAX_COMPLAINTS; ) {
    const task = { jobs: left, mutants, seed, at: new SharedArrayBuffer(12) };
    const end = await runThread(task, limited ? LIMITED_WAIT_MS : MAX_WAIT_MS, complain);
    if (end === undefined) break;
    const { name } = left[end.job]!;
    if (!limited) complain(name, end.i, end.what);
    else if (retries-- > 0) {
      const wrong = await again(name, seed, end.i);
      if (wrong !== undefined) complain(name, end.i, wrong);
    }
    left = [{ name, from: end.i + 1 }, ...left.slice(end.job + 1)];
  }
  return complaints;
}

/**
 * Reads `mutants` mutants of each reader.
 *
 * @returns What was wrong, each with the number of its mutant; empty when every one was read or refused in one clear line.
 */
export async function fuzz(names: readonly string[], mutants: number, seed: number): Promise<string[]> {
  const complaints: string[] = [];
  for (const limited of [false, true]) {
    const own = names.filter((name) => (FUZZ_READERS[name]!.limited !== undefined) === limited);
    complaints.push(
      ...(await fuzzThread(
        own.map((name) => ({ name, from: 0 })),
        mutants,
        seed,
        limited,
      )),
    );
  }
  return complaints;
}
