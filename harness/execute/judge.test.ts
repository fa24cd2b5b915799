/** @file A toy judge and a toy task that it judges: a missing rating is no 0, a rerun asks nothing again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineJudge, defineTask } from '../contract.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';

const test = suite('execute/judge');
const ASKED = { concept: { id: 'a', label: 'letter a' }, prompt: { id: 'p', text: 'Write:' } };
const counts = { asked: 0, disposed: 0 };
const judge = defineJudge<{ least: number }>({
  id: 'toy-judge',
  title: 'Counts the letter a, and is silent on short texts',
  version: 1,
  options: { least: { type: 'integer', default: 3, description: 'Shortest text that is rated.' } },
  open: async ({ options, replies }) => ({
    description: 'counts letters',
    rate: (rows) =>
      Promise.all(
        rows.map(async ({ text = '' }) => {
          const [, a] = await replies.once({ text }, async () => [++counts.asked, text.split('a').length - 1]);
          return { concept: text.length < options.least ? null : Math.min(2, a!), instruct: 2 };
        }),
      ),
    dispose: () => void counts.disposed++,
  }),
});

test('the option judge names who rates; null is left out; --force asks nothing again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-judge-'));
  const registry = toyRegistry();
  registry.add(judge, 'toy-judge.ts');
  const judged = defineTask({
    ...(await registry.get('task', 'toy-task')),
    id: 'toy-judged',
    measure: 'judged',
    options: { judge: { type: 'string', default: 'toy-judge', description: 'The judge.' } },
    async run({ judge }) {
      const ratings = await judge!.rate(['banana', 'aa', 'bcd'].map((text) => ({ text, ...ASKED })));
      const known = ratings.flatMap(({ concept }) => concept ?? []);
      const value = known.reduce((sum, each) => sum + each / known.length, 0);
      return { rows: [{ axes: {}, metrics: { value: { value, ci95: null, n: known.length } } }] };
    },
  });
  registry.add(judged, 'toy-judged.ts');
  const run = (force: boolean) => runToy(folder, { tasks: [{ id: 'toy-judged' }] }, undefined, { registry, force });
  const { summary } = await run(false);
  const { value, n } = summary.results[0]!.rows[0]!.metrics['value']!;
  assert.equal([value, n, counts.asked, counts.disposed > 0], [1, 2, 3, true]);
  assert.equal(summary.results[0]!.task.judge, { id: 'toy-judge', version: 1, options: { least: 3 } });
  assert.ok((await run(true)).summary.computed.evaluate > 0);
  assert.is(counts.asked, 3);
  await rm(folder, { recursive: true });
});

test.run();
