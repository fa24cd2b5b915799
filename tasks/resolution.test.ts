/** @file Resolution: by hand, with a dictionary for any grid and one for one grid, and interpolation. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../harness/activations/activation-set.ts';
import type { Codes, Dataset, FittedMethod, TaskContext } from '../harness/contract.ts';
import { initBackend } from '../harness/num/backend.ts';
import { createRng } from '../harness/num/rng.ts';
import { type Tensor2D, tf } from '../harness/num/tf.ts';
import { refusal } from '../harness/testing/failing.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import functions from './datasets/functions.ts';
import manifolds from './datasets/manifolds.ts';
import task, { resample } from './resolution.ts';

const test = suite('resolution');
test.before(async () => {
  await initBackend('wasm');
});

async function contextOf(method: FittedMethod, n = 30): Promise<TaskContext<object>> {
  const dataset: Dataset = await functions.open({}, { seed: 0, baseDir: '.' });
  const testItems = await dataset.corpus('test', n);
  const { site, rows } = dataset.activations!;
  const set = memorySet(await rows(testItems), site.d);
  return {
    ...{ options: {}, dataset, site, testItems, test: set, train: set, rng: createRng(0), seed: 0, progress: () => {} },
    method: { ...method, id: 'toy', kind: 'sae' },
    prepared: { json: {}, arrays: {} },
    ...taskTools(method),
  };
}

/** Copies its input; `width` numbers only, or any. */
const copies = (width?: number): FittedMethod => ({
  ...{ d_in: 64, d_sae: 64, sparse: true, dispose() {} },
  ...(width === undefined && { resolutionFree: true }),
  encode(x: Tensor2D): Codes {
    if (width !== undefined) assert.is(x.shape[1], width);
    return { kind: 'dense', values: tf.clone(x) };
  },
  decode: (codes) => tf.clone(codes.values),
});

test('interpolation keeps the points that both grids have, and is linear between them', () => {
  assert.equal([...resample(Float32Array.of(0, 2, 4, 2), 4, 8)], [0, 1, 2, 3, 4, 3, 2, 1]);
  assert.equal([...resample(Float32Array.of(0, 1, 2, 3, 4, 3, 2, 1), 8, 4)], [0, 2, 4, 2]);
  assert.equal([...resample(Float32Array.of(1, 2, 10, 20), 2, 4)], [1, 1.5, 2, 1.5, 10, 15, 20, 15]);
  assert.equal([...resample(Float32Array.of(1, 2, 3), 3, 3)], [1, 2, 3]);
});

test('a dictionary for any grid: direct and resampled on both others', async () => {
  const before = tf.memory().numTensors;
  const { rows } = await task.run(await contextOf(copies()));
  const at = (grid: string, how: string) => rows.find(({ axes }) => axes['grid'] === grid && axes['how'] === how)!;
  assert.is(rows.length, 5);
  for (const grid of ['trained', 'half', 'double']) {
    assert.is(at(grid, 'direct').metrics['r2']!.value, 1);
    assert.is(at(grid, 'direct').metrics['r2_drop']!.value, 0);
  }
  // From half as many points and back, the copy is exact where both grids have a point: everywhere.
  assert.is(at('half', 'resampled').metrics['r2']!.value, 1);
  // From twice as many, what lies between is lost.
  const lost = at('double', 'resampled').metrics['r2']!.value!;
  assert.ok(lost < 1 && lost > 0.5, String(lost));
  assert.is(tf.memory().numTensors, before);
});

test('a dictionary for one grid: an empty cell with its reason, and the resampled rows', async () => {
  const { rows } = await task.run(await contextOf(copies(64)));
  const direct = rows.filter(({ axes }) => axes['how'] === 'direct' && axes['grid'] !== 'trained');
  assert.is(direct.length, 2);
  for (const { unavailable } of direct) assert.is(unavailable!['r2'], "'toy' takes rows of 64 points only");
  assert.is(rows.filter(({ metrics }) => metrics['r2']).length, 3);
});

test('the mean as reconstruction has an R² of 0 on each grid', async () => {
  const means = new Map<number, Tensor2D>();
  const context = await contextOf({ ...copies(), decode: ({ values }) => tf.clone(means.get(values.shape[1])!) });
  for (const points of [32, 64, 128]) {
    const x = tf.tensor2d(await context.dataset.activations!.grids!.rows(context.testItems, points), [30, points]);
    means.set(points, tf.tile(tf.mean(x, 0, true), [30, 1]) as Tensor2D);
  }
  const { rows } = await task.run(context);
  for (const { axes, metrics } of rows.filter((row) => row.axes['how'] === 'direct')) {
    assert.ok(Math.abs(metrics['r2']!.value!) < 1e-5, axes['grid']!);
  }
});

test('a way past the latents belongs to the reconstruction', async () => {
  const half = (x: Tensor2D) => tf.mul(x, 0.5) as Tensor2D;
  const { rows } = await task.run(
    await contextOf({ ...copies(), decode: ({ values }) => half(values as Tensor2D), skip: half }),
  );
  for (const { axes, metrics } of rows.filter((row) => row.axes['how'] === 'direct')) {
    assert.is(metrics['r2']!.value, 1, axes['grid']!);
  }
});

test('a reconstruction that is not finite is an error that names the method, no empty cell', async () => {
  const context = await contextOf({ ...copies(), decode: ({ values }) => tf.mul(values, Number.NaN) as Tensor2D });
  assert.match(await refusal(task.run(context)), /method 'toy', document 0: expected finite .* found NaN/);
});

test('a dataset of one grid: a reason', async () => {
  const dataset = await manifolds.open({ world: 'linear' }, { seed: 0, baseDir: '.' });
  const reason = task.unavailable!({ dataset, site: dataset.activations!.site });
  assert.is(reason, 'the dataset manifolds has its rows on one grid only');
});

test.run();
