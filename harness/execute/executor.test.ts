/** @file The seam of executors: a toy that does one job at a time in this process, from a queue that is a list. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runToy } from '../testing/toy-run.ts';
import { type Executor, openWorker } from './executor.ts';
import type { Job, JobQueue } from './queue.ts';

const test = suite('execute/executor');
const folder = await mkdtemp(join(tmpdir(), 'saxbench-executor-'));
test.after(() => rm(folder, { recursive: true, force: true }));

/** Jobs from the last to the first, and what became of them. */
function listQueue(jobs: Job[], told: string[]): JobQueue {
  const tell = (word: string) => async (job: Job) => void told.push(`${word} ${job.site}.${job.fit}`);
  return { take: async () => jobs.pop(), renew: tell('renewed'), done: tell('done'), failed: tell('failed') };
}

/** Works on a queue of its own making. */
const toy = (told: string[]): Executor => ({
  async run(plan, _given, run) {
    const jobs = plan.sites.flatMap(({ fits }, site) => fits.map((_, fit) => ({ site, fit })));
    const queue = listQueue(jobs, told);
    const worker = openWorker(plan, run);
    for (let job = await queue.take(run.signal); job; job = await queue.take(run.signal)) {
      await queue.renew(job);
      const [failure] = await worker.do(job);
      await (failure ? queue.failed(job, failure.error) : queue.done(job));
    }
    worker.dispose();
    return worker.summary();
  },
});

test('a toy executor gives what the usual one gives, and hears of every job', async () => {
  const told: string[] = [];
  const usual = await runToy(join(folder, 'usual'));
  const own = await runToy(join(folder, 'own'), {}, undefined, { executor: toy(told) });
  const numbers = ({ summary }: typeof usual) =>
    summary.results.map(({ method, seed, rows }) => [method.name, seed, rows]);
  assert.equal(numbers(own), numbers(usual));
  assert.equal(own.summary.computed, usual.summary.computed);
  assert.equal(told, ['renewed 0.2', 'done 0.2', 'renewed 0.1', 'done 0.1', 'renewed 0.0', 'done 0.0']);
});

test.run();
