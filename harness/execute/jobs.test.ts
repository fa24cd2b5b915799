/** @file Dealing jobs out: every job once, own subjects first, from the front, and so does help. */
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../plan.ts';
import { dealJobs, type Jobs, takeJob } from './jobs.ts';

const test = suite('execute/jobs');

/** A plan of sites with so many methods of one task each. */
const planOf = (...sites: [subject: string, methods: number][]) =>
  ({
    sites: sites.map(([id, methods]) => ({
      subject: { id },
      fits: Array.from({ length: methods }, () => ({ evaluations: [{}] })),
    })),
  }) as unknown as Plan;

function takeAll(jobs: Jobs, side: number): string[] {
  const taken: string[] = [];
  for (let job = takeJob(jobs, side); job; job = takeJob(jobs, side)) taken.push(`${job.site}.${job.fit}`);
  return taken;
}

const all = () => true;
const none = () => false;

test('whole subjects go to a side, so that both have about as much to do', () => {
  const jobs = dealJobs(planOf(['a', 3], ['b', 4], ['a', 3], ['c', 5]), 2, none);
  assert.equal(takeAll(jobs, 0), ['0.0', '0.1', '0.2', '2.0', '2.1', '2.2']);
  assert.equal(takeAll(jobs, 1), ['1.0', '1.1', '1.2', '1.3', '3.0', '3.1', '3.2', '3.3', '3.4']);
});

test('a side without work of its own takes from the front of the others, site by site', () => {
  const jobs = dealJobs(planOf(['a', 3], ['a', 2]), 2, all);
  assert.equal(takeJob(jobs, 1), { site: 0, fit: 0 });
  assert.equal(takeJob(jobs, 0), { site: 0, fit: 1 });
  assert.equal(takeAll(jobs, 1), ['0.2', '1.0', '1.1']);
  assert.is(takeJob(jobs, 0), undefined);
});

test('a subject too large to be held twice stays with its side', () => {
  const jobs = dealJobs(planOf(['large', 2], ['small', 1]), 2, (id) => id === 'small');
  assert.equal(takeAll(jobs, 1), ['1.0']);
  assert.equal(takeAll(jobs, 0), ['0.0', '0.1']);
});

test('one side alone does everything in order', () => {
  assert.equal(takeAll(dealJobs(planOf(['a', 1], ['b', 2]), 1, none), 0), ['0.0', '1.0', '1.1']);
});

test('threads that take at the same time never take the same job', async () => {
  const methods = 20_000;
  const jobs = dealJobs(planOf(['a', methods]), 3, all);
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { register } = await import(workerData.loader);
    register();
    const { takeJob } = await import(workerData.module);
    const taken = [];
    for (let job = takeJob(workerData.jobs, workerData.side); job; job = takeJob(workerData.jobs, workerData.side)) taken.push(job.fit);
    parentPort.postMessage(taken);`;
  const entry = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const module = new URL('./jobs.ts', import.meta.url).href;
  const taken = await Promise.all(
    [0, 1, 2].map(
      (side) =>
        new Promise<number[]>((resolve, reject) => {
          const workerData = { jobs, side, module, loader: import.meta.resolve('tsx/esm/api') };
          const worker = new Worker(entry, { workerData });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  const fits = taken.flat().sort((a, b) => a - b);
  assert.equal(
    fits,
    Array.from({ length: methods }, (_, i) => i),
  );
});

test.run();
