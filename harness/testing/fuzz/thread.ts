/** @file The thread of `fuzz.ts`: makes mutants, reads them, tells of every error that is no clear line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../errors.ts';
import type { FuzzJob, FuzzMessage, FuzzTask } from './fuzz.ts';
import { mutant } from './mutate.ts';
import { FUZZ_READERS } from './readers.ts';

const { jobs, mutants, seed, at } = workerData as FuzzTask;
const tell = (message: FuzzMessage) => parentPort!.postMessage(message);

/** A mistake that is told as one line, or what is wrong with it. */
function fault(error: unknown): string | undefined {
  if (!(error instanceof UserError)) return error instanceof Error ? `${error.name}: ${error.stack}` : String(error);
  const { message } = error;
  return message.length > 2100 || /\p{Cc}/u.test(message) ? `no clear line: ${JSON.stringify(message)}` : undefined;
}

/** Whether a file changed what every object has, or ran something. */
function breach(): string | undefined {
  const seen = globalThis as { fuzzRan?: unknown };
  const polluted = Object.keys(Object.prototype).length > 0 || 'polluted' in {};
  return seen.fuzzRan !== undefined ? 'code was run' : polluted ? 'a prototype was changed' : undefined;
}

const folder = mkdtempSync(join(tmpdir(), 'saxbench-fuzz-'));
const place = new Int32Array(at);

async function run({ name, from }: FuzzJob): Promise<void> {
  const { seeds, mutate, read } = FUZZ_READERS[name]!;
  const good = await seeds();
  for (let i = from; i < mutants; i++) {
    Atomics.store(place, 0, i);
    const { files, target, changed } = mutant(good, mutate, seed, i);
    const inside = mkdtempSync(join(folder, 'x'));
    for (const [file, content] of Object.entries(files)) writeFileSync(join(inside, file), content);
    const file = join(inside, target);
    writeFileSync(file, changed);
    Atomics.add(place, 1, 1);
    let wrong: string | undefined;
    try {
      await read(file, inside);
    } catch (error) {
      wrong = fault(error);
    }
    wrong ??= breach();
    if (wrong !== undefined) tell({ type: 'wrong', name, i, what: wrong });
    rmSync(inside, { recursive: true });
  }
}

try {
  for (const [index, job] of jobs.entries()) {
    Atomics.store(place, 2, index);
    await run(job);
  }
  tell({ type: 'done' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
