/** @file What tasks share: the same for all methods at a site, and never across seeds of a task. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineTask } from '../contract.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';

const test = suite('execute/shared');

test('made once for all methods of a seed, anew for the next: also by a task that prepares nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-shared-'));
  const registry = toyRegistry();
  let made = 0;
  const { prepare: _none, ...toy } = await registry.get('task', 'toy-task');
  const task = defineTask({
    ...toy,
    id: 'toy-draw',
    seeded: true,
    controls: [],
    async run({ shared, rng }) {
      const value = await shared('draw', async () => {
        made++;
        return rng.uniform();
      });
      return { rows: [{ axes: {}, metrics: { value: { value, ci95: null, n: 1 } } }] };
    },
  });
  registry.add(task, 'toy-draw.ts');
  const methods = [1, 2].map((scale) => ({ id: 'toy-mean', name: `toy-${scale}`, options: { scale } }));
  const { summary } = await runToy(folder, { methods, tasks: [{ id: 'toy-draw' }] }, undefined, { registry });
  await rm(folder, { recursive: true });
  assert.equal(summary.failures, []);
  const valuesOf = (seed: number) =>
    summary.results.filter((result) => result.seed === seed).map(({ rows }) => rows[0]!.metrics['value']!.value);
  const [first, second] = [valuesOf(0), valuesOf(1)];
  assert.is(first.length, 2);
  assert.is(first[0], first[1]);
  assert.is(second[0], second[1]);
  assert.is.not(first[0], second[0], 'another seed draws anew');
  assert.is(made, 2);
});

test.run();
