/** @file A task that measures time: it runs when all else is done, alone, also where several work; and it is gone on with. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resultFiles } from '../results.ts';
import { addTimedToys } from '../testing/timed-toys.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import { type Executor, joined, workOff } from './executor.ts';

const test = suite('execute/exclusive');
let folder: string;
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-exclusive-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

/** Two that take jobs side by side, whatever the queue says of its width. */
const two: Executor = {
  run: async (plan, queue, run) =>
    joined(await Promise.all(['x', 'y'].map((worker) => workOff(plan, queue, run, worker)))),
};

function timedToys(beside = false) {
  const registry = toyRegistry();
  return { registry, events: addTimedToys(registry, beside) };
}

const methods = [{ id: 'toy-a' }, { id: 'toy-b' }];
/** The task that measures time stands first: its place in the suite decides nothing. */
const both = { tasks: [{ id: 'toy-clock' }, { id: 'toy-other' }], seeds: [0] };

for (const [what, executor] of [
  ['one worker', undefined],
  ['two workers', two],
] as const) {
  test(`${what}: each clock ends before anything else begins, and after all else`, async () => {
    const { events, registry } = timedToys(executor !== undefined);
    const { summary } = await runToy(folder, { ...both, methods }, undefined, {
      registry,
      ...(executor && { executor }),
    });
    assert.equal(summary.failures, []);
    assert.is(summary.results.length, 4);
    const last = events.slice(-4);
    assert.equal([...last].sort(), [
      'clock toy-a begins',
      'clock toy-a ends',
      'clock toy-b begins',
      'clock toy-b ends',
    ]);
    for (const at of [0, 2]) assert.is(last[at + 1], last[at]!.replace('begins', 'ends'));
    assert.not.ok(events.slice(0, -4).some((event) => event.startsWith('clock')));
    // The two did work side by side before.
    if (executor) assert.equal(events.slice(0, 2).sort(), ['fit toy-a begins', 'fit toy-b begins']);
  });
}

test('only what measures time: methods are fitted side by side first; a second run does it alone again when it is missing', async () => {
  const { events, registry } = timedToys(true);
  const only = { tasks: [{ id: 'toy-clock' }], seeds: [0], methods };
  const { summary, out, store } = await runToy(folder, only, undefined, { registry, executor: two });
  assert.equal(summary.computed, { activations: 3, fit: 2, prepare: 0, evaluate: 2 });
  assert.equal(events.slice(0, 2).sort(), ['fit toy-a begins', 'fit toy-b begins']);
  await rm(join(out, 'results'), { recursive: true });
  await rm(join(store.root, 'steps/evaluate'), { recursive: true });
  events.length = 0;
  const again = await runToy(folder, only, undefined, { registry, executor: two });
  assert.equal(again.summary.computed, { activations: 0, fit: 0, prepare: 0, evaluate: 2 });
  assert.equal(events, ['clock toy-a begins', 'clock toy-a ends', 'clock toy-b begins', 'clock toy-b ends']);
});

test('a method that fails is tried and told once, and both of its tasks say why they have no rows', async () => {
  const { events, registry } = timedToys();
  const all = { ...both, methods: [...methods, { id: 'toy-broken' }] };
  const { summary } = await runToy(folder, all, undefined, { registry, executor: two });
  assert.is(summary.failures.length, 1);
  assert.is(events.filter((event) => event === 'fit toy-broken begins').length, 1);
  assert.equal(summary.failed.map(({ task }) => task.id).sort(), ['toy-clock', 'toy-other']);
  assert.is(summary.results.length, 4);
});

test('aborted while time is measured: all else is kept, and the next run measures the rest alone', async () => {
  const { events, registry } = timedToys();
  const controller = new AbortController();
  const watching = setInterval(() => events.includes('clock toy-a begins') && controller.abort(), 1);
  const suite = { ...both, methods };
  const stopped = await runToy(folder, suite, controller.signal, { registry, executor: two }).catch((error) => error);
  clearInterval(watching);
  assert.is(stopped.name, 'AbortError');
  assert.is((await resultFiles(join(folder, 'out'))).length, 2, 'the results of the other task');
  events.length = 0;
  const { summary } = await runToy(folder, suite, undefined, { registry, executor: two });
  assert.is(summary.results.length, 4);
  assert.equal(events, ['clock toy-a begins', 'clock toy-a ends', 'clock toy-b begins', 'clock toy-b ends']);
});

test.run();
