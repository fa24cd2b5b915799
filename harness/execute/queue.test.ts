/** @file The queue of jobs: every job once, a worker's own subject first, lapsed jobs again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../plan.ts';
import { type Job, type JobQueue, jobsAlone, jobsBeside, planQueue } from './queue.ts';

const test = suite('execute/queue');
const { signal } = new AbortController();

/** A plan of sites with so many methods of one task each. */
const planOf = (...sites: [subject: string, methods: number][]) =>
  ({
    sites: sites.map(([id, methods]) => ({
      subject: { id },
      fits: Array.from({ length: methods }, () => ({ key: id, evaluations: [{ task: {} }] })),
    })),
  }) as unknown as Plan;

/** The queue of all that a plan has to do side by side. */
const queueOf = (plan: Plan, isShared: (id: string) => boolean, leaseMs?: number) =>
  planQueue(plan, besideOf(plan), isShared, leaseMs);
const besideOf = (plan: Plan): Job[] => plan.sites.flatMap(({ fits }, site) => fits.map((_, fit) => ({ site, fit })));

/** As `planOf`, each method with a task that measures time, too; or with that one alone. */
function timedPlanOf(only: boolean, ...sites: [subject: string, methods: number][]): Plan {
  const plan = planOf(...sites);
  const clock = { task: { exclusive: true } } as never;
  for (const { fits } of plan.sites) {
    for (const fit of fits) fit.evaluations = only ? [clock] : [clock, ...fit.evaluations];
  }
  return plan;
}

/** What workers are given who take in turn, each as long as it gets something. */
async function takeInTurn(queue: JobQueue, workers: string[]): Promise<Record<string, string[]>> {
  const taken = Object.fromEntries(workers.map((worker) => [worker, [] as string[]]));
  const working = new Set(workers);
  while (working.size > 0) {
    for (const worker of working) {
      const job = await queue.take(signal, worker);
      if (!job) working.delete(worker);
      else {
        taken[worker]!.push(`${job.site}.${job.fit}`);
        await queue.done(job);
      }
    }
  }
  return taken;
}

const all = () => true;
const none = () => false;

test('one worker alone does everything, the largest subject first, each in the order of the plan', async () => {
  const queue = queueOf(planOf(['a', 1], ['b', 2], ['a', 2]), none);
  assert.equal(await takeInTurn(queue, ['x']), { x: ['0.0', '2.0', '2.1', '1.0', '1.1'] });
});

test('each worker has subjects of its own, whole', async () => {
  const queue = queueOf(planOf(['a', 3], ['b', 4], ['a', 3], ['c', 5]), none);
  assert.equal(await takeInTurn(queue, ['x', 'y']), {
    x: ['0.0', '0.1', '0.2', '2.0', '2.1', '2.2'],
    y: ['3.0', '3.1', '3.2', '3.3', '3.4', '1.0', '1.1', '1.2', '1.3'],
  });
});

test('a worker without a subject of its own helps another from the front', async () => {
  const queue = queueOf(planOf(['a', 3], ['a', 2]), all);
  assert.equal(await takeInTurn(queue, ['x', 'y']), { x: ['0.0', '0.2', '1.1'], y: ['0.1', '1.0'] });
});

test('a subject too large to be held twice stays with its worker', async () => {
  const queue = queueOf(planOf(['large', 3], ['small', 1]), (id) => id === 'small');
  assert.equal(await takeInTurn(queue, ['x', 'y']), { x: ['0.0', '0.1', '0.2'], y: ['1.0'] });
});

test('the width is how many workers find work', () => {
  assert.is(queueOf(planOf(['a', 3], ['b', 4]), none).width, 2);
  assert.is(queueOf(planOf(['a', 3], ['b', 4]), all).width, 7);
  assert.is(queueOf(planOf(['large', 3], ['small', 1]), (id) => id === 'small').width, 2);
  assert.is(queueOf(planOf(), none).width, 1);
});

test('a job whose worker is not heard of is given to another, which waited for it', async () => {
  const queue = queueOf(planOf(['a', 1], ['b', 1]), none, 150);
  const [lost, kept] = [await queue.take(signal, 'dead'), await queue.take(signal, 'living')];
  const renewing = setInterval(() => void queue.renew(kept!), 30);
  const waiting = queue.take(signal, 'next');
  await sleep(400);
  clearInterval(renewing);
  assert.equal(await waiting, lost, 'the lapsed job');
  await queue.done(kept!);
  await queue.done(lost!);
  assert.is(await queue.take(signal, 'next'), undefined);
});

test('a failed job is not given again', async () => {
  const queue = queueOf(planOf(['a', 1]), none, 20);
  const job = await queue.take(signal);
  await queue.failed(job!, new Error('no'));
  await sleep(60);
  assert.is(await queue.take(signal), undefined);
});

test('waiting for a job ends when aborted', async () => {
  const controller = new AbortController();
  const queue = queueOf(planOf(['a', 1]), none, 60_000);
  await queue.take(controller.signal, 'x');
  const waiting = queue.take(controller.signal, 'y');
  setTimeout(() => controller.abort(), 20);
  assert.is(await waiting.catch((error: Error) => error.name), 'AbortError');
});

test('what measures time is given one at a time, when all that runs has ended', async () => {
  const plan = timedPlanOf(false, ['a', 2], ['b', 1]);
  assert.equal(await jobsBeside(plan, async () => true), besideOf(plan), 'the other task of each');
  const jobs = jobsAlone(plan, []);
  assert.equal(
    jobs,
    besideOf(plan).map((job) => ({ ...job, alone: true })),
  );
  const queue = planQueue(plan, jobs, all);
  assert.is(queue.width, 1);
  const first = await queue.take(signal, 'x');
  assert.is(await queue.take(signal, 'y'), undefined, 'while it runs nobody has work');
  await queue.done(first!);
  assert.equal(await takeInTurn(queue, ['x']), { x: ['0.1', '1.0'] });
  const lent = planQueue(plan, jobs, all, 60_000);
  const held = await lent.take(signal, 'x');
  let given: Job | undefined;
  const waiting = lent.take(signal, 'y').then((job) => {
    given = job;
  });
  await sleep(120);
  assert.is(given, undefined, 'it waits where a job may come back');
  await lent.done(held!);
  await waiting;
  assert.equal(given, { site: 1, fit: 0, alone: true });
});

test('of methods with nothing else to do those are fitted first that are not yet; failed ones are left out after', async () => {
  const plan = timedPlanOf(true, ['a', 1], ['b', 1]);
  assert.equal(await jobsBeside(plan, async (key) => key === 'a'), [{ site: 1, fit: 0 }]);
  assert.equal(jobsAlone(plan, [{ site: 1, fit: 0 }]), [{ site: 0, fit: 0, alone: true }]);
});

test.run();
