/** @file Manifold dimensions: by hand, with a method that knows the manifolds, and without what the task needs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../harness/activations/activation-set.ts';
import type { Codes, Dataset, FittedMethod, Item, TaskContext } from '../harness/contract.ts';
import { initBackend } from '../harness/num/backend.ts';
import { createRng } from '../harness/num/rng.ts';
import { type Tensor2D, tf } from '../harness/num/tf.ts';
import { refusal } from '../harness/testing/failing.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import manifolds from './datasets/manifolds.ts';
import task from './manifold-dimensions.ts';

const test = suite('manifold dimensions');
test.before(async () => {
  await initBackend('wasm');
});

function contextOf(dataset: Dataset, testItems: Item[], x: Float32Array, method: FittedMethod): TaskContext<object> {
  const set = memorySet(x, x.length / testItems.length);
  return {
    ...{ options: {}, dataset, test: set, train: set, testItems, rng: createRng(0), seed: 0, progress: () => {} },
    site: dataset.activations!.site,
    method: { ...method, id: 'toy', kind: 'sae' },
    prepared: { json: {}, arrays: {} },
    ...taskTools(method),
  };
}

const toy = (list: { name: string; dimension: number }[], of: (item: Item) => number): Dataset => ({
  ...{ id: 'toy', modality: 'vectors', fingerprint: 'x', corpus: async () => [] },
  activations: {
    site: { name: 'toy', d: 3, modality: 'vectors', kind: 'pooled' },
    rows: async () => new Float32Array(),
  },
  manifolds: { list, of },
});

const copies = (values: (x: Tensor2D) => Tensor2D): FittedMethod => ({
  ...{ d_in: 3, d_sae: 3, sparse: true, dispose() {} },
  encode: (x): Codes => ({ kind: 'dense', values: values(x) }),
  decode: (codes) => tf.clone(codes.values),
});

test('dimensions, supports and errors by hand', async () => {
  const dataset = toy(
    [
      { name: 'line', dimension: 1 },
      { name: 'plane', dimension: 3 },
    ],
    ({ id }) => Number(id[0]),
  );
  const items = ['0a', '0b', '1a', '1b'].map((id) => ({ id }));
  // Actives: {0}, {1}, {0, 1}, {0, 1}: means 1 and 2.
  const x = Float32Array.of(2, 0, 0, 0, 3, 0, 1, 1, 0, 1, -1, 0);
  const { rows, details } = await task.run(
    contextOf(
      dataset,
      items,
      x,
      copies((input) => tf.clone(input)),
    ),
  );
  const value = (name: string) => rows[0]!.metrics[name]!.value;
  assert.is(value('dimension_error'), 0.5);
  assert.is(value('within_one'), 1);
  assert.is(value('active_dimensions'), 1.5);
  assert.is(value('reconstruction_error'), 0);
  // {0} and {1} differ by two, {0, 1} and {0, 1} by none; each of the first from each of the second by one.
  assert.is(value('support_within'), 1);
  assert.is(value('support_between'), 1);
  assert.equal(rows[0]!.samples, { unit: 'manifold', ids: ['line', 'plane'], values: [0, 1] });
  assert.is((details!['manifolds'] as { inputs: number }[])[1]!.inputs, 2);
});

test('the mean of everything as reconstruction has error 1', async () => {
  const dataset = toy([{ name: 'line', dimension: 1 }], () => 0);
  const x = Float32Array.of(1, 0, 0, 3, 0, 0);
  const mean: FittedMethod = {
    ...copies((input) => tf.clone(input)),
    decode: () => tf.tensor2d([2, 0, 0, 2, 0, 0], [2, 3]),
  };
  const { rows } = await task.run(contextOf(dataset, [{ id: 'a' }, { id: 'b' }], x, mean));
  assert.is(rows[0]!.metrics['reconstruction_error']!.value, 1);
  assert.is(rows[0]!.metrics['support_between']!.value, null);
});

test('on the world itself, codes along the manifold’s own directions give the true dimensions', async () => {
  const dataset = await manifolds.open({ world: 'linear' }, { seed: 0, baseDir: '.' });
  const items = await dataset.corpus('test', 200);
  const x = await dataset.activations!.rows(items);
  // As many latents as the item's manifold has dimensions: told by the dataset itself, in the order of the batch.
  const { list, of } = dataset.manifolds!;
  const encode = (input: Tensor2D): Codes => {
    const codes = items.map((item) => Array.from({ length: 10 }, (_, i) => (i < list[of(item)]!.dimension ? 1 : 0)));
    assert.is(input.shape[0], items.length);
    return { kind: 'dense', values: tf.tensor2d(codes) };
  };
  const method: FittedMethod = {
    ...{ d_in: 40, d_sae: 10, sparse: true, dispose() {} },
    encode,
    decode: () => tf.tensor2d(x, [items.length, 40]),
  };
  const { rows } = await task.run(contextOf(dataset, items, x, method));
  assert.is(rows[0]!.metrics['dimension_error']!.value, 0);
  assert.is(rows[0]!.metrics['reconstruction_error']!.value, 0);
  assert.is(rows[0]!.metrics['support_within']!.value, 0);
});

test('a way past the latents belongs to the reconstruction; one that is not finite is an error', async () => {
  const dataset = toy([{ name: 'line', dimension: 1 }], () => 0);
  const x = Float32Array.of(1, 0, 0, 3, 0, 0);
  const run = (more: Partial<FittedMethod>) =>
    task.run(contextOf(dataset, [{ id: 'a' }, { id: 'b' }], x, { ...copies((input) => tf.clone(input)), ...more }));
  const half = (values: Tensor2D) => tf.mul(values, 0.5) as Tensor2D;
  const { rows } = await run({ decode: (codes) => half(codes.values), skip: half });
  assert.is(rows[0]!.metrics['reconstruction_error']!.value, 0);
  const broken = run({ decode: (codes) => tf.mul(codes.values, Number.NaN) as Tensor2D });
  assert.match(await refusal(broken), /method 'toy', document 0: expected finite .* found NaN/);
});

test('a dataset without manifolds, a method without codes: a reason', async () => {
  const dataset = toy([{ name: 'line', dimension: 1 }], () => 0);
  const { manifolds: _, ...without } = dataset;
  const reason = task.unavailable!({ dataset: without as Dataset, site: dataset.activations!.site });
  assert.is(reason, 'the dataset toy knows no manifolds that its items lie on');
  const silent: FittedMethod = { d_in: 3, sparse: false, dispose() {} };
  const { rows } = await task.run(contextOf(dataset, [{ id: 'a' }], new Float32Array(3), silent));
  assert.is(rows[0]!.unavailable!['dimension_error'], "'toy' has no codes to decode");
});

test.run();
