/** @file Results under different options are told apart, by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { tellApart } from './settings.ts';
import { metric, resultWith } from './testing/results.ts';

const test = suite('reports/settings');

const row = (value: number) => [{ axes: {}, metrics: { auroc: metric(value, null, { main: true }) } }];
const withOptions = (name: string, seed: number, options: Record<string, unknown>, value = 0.5): Result => {
  const result = resultWith(name, row(value), { seed });
  return { ...result, method: { ...result.method, options } };
};
const names = (results: Result[]) => tellApart(results).map(({ method }) => method.name);

test('seeds of one setting keep their name, and the very objects', () => {
  const results = [0, 1].map((seed) => withOptions('topk', seed, { k: 8, d_sae: 64 }));
  assert.equal(names(results), ['topk', 'topk']);
  assert.is(tellApart(results)[0], results[0]);
});

test('a seed of another option is another row, named after what differs', () => {
  const results = [
    withOptions('topk', 0, { k: 8, d_sae: 64 }, 0.2),
    withOptions('topk', 1, { k: 16, d_sae: 64 }, 0.4),
    withOptions('topk', 2, { k: 16, d_sae: 64 }, 0.6),
    withOptions('pca', 0, { components: 4 }, 0.1),
  ];
  assert.equal(names(results), ['topk k=8', 'topk k=16', 'topk k=16', 'pca']);
  const [table] = buildTables(tellApart(results));
  assert.equal(
    table!.rows.map(({ method, cells }) => [method.name, cells['auroc']!.value, cells['auroc']!.seeds]),
    [
      ['topk k=16', 0.5, 2],
      ['topk k=8', 0.2, 1],
      ['pca', 0.1, 1],
    ],
  );
});

test('methods scored under other options of a task, an option that is new', () => {
  const task = (options: Record<string, unknown>) => ({ ...resultWith('a', []).task, options });
  const scored = [resultWith('a', row(1), { task: task({ n: 2 }) }), resultWith('b', row(1), { task: task({}) })];
  assert.equal(names(scored), ['a task.n=2', 'b task.n=none']);
  const elsewhere = { site: { name: 'blocks.1.hook_resid_post', d_in: 8, kind: 'tokens' as const } };
  assert.equal(
    names([scored[0]!, { ...scored[1]!, ...elsewhere }]),
    ['a', 'b'],
    'other places are compared with nothing',
  );
});

test('methods scored by other embedders', () => {
  const { task } = resultWith('a', []);
  const embedder = { id: 'mini', fingerprint: 'f'.repeat(64), family: 'bert@1' };
  const scored = [resultWith('a', row(1), { task: { ...task, embedder } }), resultWith('b', row(1), { task })];
  assert.equal(names(scored), [`a task.embedder=${'f'.repeat(24)}`, 'b task.embedder=none']);
});

test('a difference beyond what is shown of a value, or that no option shows, still makes another row', () => {
  const long = (last: number) => [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, last];
  const hashes = ['b', 'c', 'c'].map((digit) => ({ row: digit.repeat(64), table: 'a'.repeat(64) }));
  const cut = hashes.map((settings, seed) => ({ ...withOptions('a', seed, { f: long(seed && 1) }), settings }));
  assert.equal(
    names(cut),
    ['b', 'c', 'c'].map((digit) => `a f=[0.1,0.2,0.3,0.4,0.5,0.6, #${digit.repeat(8)}`),
  );
  const code = hashes.map((settings, seed) => ({ ...resultWith('a', row(seed), { seed }), settings }));
  assert.equal(names(code), ['a #bbbbbbbb', 'a #cccccccc', 'a #cccccccc']);
  const [table] = buildTables(tellApart(code));
  assert.equal(
    table!.rows.map(({ cells }) => [cells['auroc']!.value, cells['auroc']!.seeds]),
    [
      [1.5, 2],
      [0, 1],
    ],
  );
});

test('methods scored by other code of a task than the rest of their table', () => {
  const settings = (digit: string) => ({ row: digit.repeat(64), table: digit.repeat(64) });
  const scored = ['b', 'c'].map((digit) => ({ ...resultWith(`m${digit}`, row(1)), settings: settings(digit) }));
  assert.equal(names(scored), ['mb #bbbbbbbb', 'mc #cccccccc']);
});

test.run();
