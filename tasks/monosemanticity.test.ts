import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ActivationSet,
  type Dataset,
  type FittedMethod,
  type Item,
  type TaskContext,
  type TaskOutcome,
  tf,
  UserError,
} from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import { tfidfEmbedding } from './monosemanticity/text-embedding.ts';
import task from './monosemanticity.ts';

const test = suite('tasks/monosemanticity');
test.before(async () => {
  await initBackend('wasm');
});

type Context = TaskContext<{ rates: number[]; latentDetails: number; latentExamples: number }>;

const identity = (d: number, sparse: boolean): FittedMethod => ({
  d_in: d,
  d_sae: d,
  sparse,
  encode: (x) => ({ kind: 'dense', values: tf.clone(x) }),
  dispose: () => {},
});

async function run(
  set: ActivationSet,
  method: FittedMethod,
  embedding: number[][] | undefined,
  items: Item[] = Array.from({ length: set.bounds.length - 1 }, (_, i) => ({ id: `${i}` })),
  rates = [0.5],
): Promise<TaskOutcome> {
  const dataset: Partial<Dataset> = {};
  if (embedding) {
    dataset.embed = async () => ({
      data: Float32Array.from(embedding.flat()),
      dim: embedding[0]!.length,
      description: 'oracle',
    });
  }
  const context = {
    options: { rates, latentDetails: 100, latentExamples: 0 },
    dataset,
    test: set,
    testItems: items,
    train: set,
    rng: createRng(0),
    seed: 0,
    progress: () => {},
    method: { ...method, id: 'fake', kind: 'sae' },
  } as unknown as Context;
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  const outcome = await task.run({ ...context, ...taskTools(method), prepared });
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return { ...outcome, rows: checkedRows(outcome, task.metrics, 'monosemanticity') };
}

const near = (actual: number | null | undefined, expected: number, tolerance = 1e-6) =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
const row = (outcome: TaskOutcome, threshold: string, control: string) =>
  outcome.rows.find(({ axes }) => axes['threshold'] === threshold && axes['control'] === control)!;

// The golden vectors of the reference: five images, one column a latent.
const GOLDEN = [
  [0, 1, 0, 2, 3],
  [1, 1, 0, 0, 1],
  [2, 0, 0, 0, 1.5],
  [4, 0, 0, 0, 1],
  [0, 1, 0, 0, 2],
];
const IMAGES = [
  [1, 0],
  [1, 1],
  [0, 2],
  [-1, 1],
  [3, 0],
];
const pooledItems = (rows: number[][]) => memoryActivations(rows.map((values) => [values]));

test('golden vectors: scores, floor, dead and single latents', async () => {
  const outcome = await run(pooledItems(GOLDEN), identity(5, true), IMAGES);
  const { metrics } = row(outcome, 'raw', 'none');
  const { ms, status } = outcome.details!['latents'] as { ms: (number | null)[]; status: string[] };
  near(ms[0], 0.50507627);
  near(ms[1], 0.80473785);
  near(ms[4], 0.57142857);
  assert.equal([ms[2], ms[3]], [null, null]);
  assert.equal(status, ['scored', 'scored', 'dead', 'single', 'scored']);
  near(metrics['ms_mean']!.value, (0.50507627 + 0.80473785 + 0.57142857) / 3);
  near(metrics['ms_median']!.value, 0.57142857);
  near(metrics['ms_floor']!.value, 0.24142136);
  near(metrics['ms_norm']!.value, ((0.50507627 + 0.80473785 + 0.57142857) / 3 - 0.24142136) / (1 - 0.24142136));
  assert.equal([metrics['dead']!.value, metrics['single']!.value, metrics['scored']!.value], [1, 1, 3]);
  near(metrics['above_floor']!.value, 1);
  assert.is(metrics['ms_supported']!.value, null);
  // Fires on 3, 3, 1 and 5 of 5 items; the dead latent does not count.
  near(metrics['firing_rate']!.value, 12 / 20);
  near(metrics['l0']!.value, 12 / 5);
  near(outcome.curves!['ms-by-rank/raw/none']!.y[0], 0.80473785);
});

test('an SAE stands beside neurons, components and random directions at its own rate', async () => {
  const outcome = await run(pooledItems(GOLDEN), identity(5, true), IMAGES);
  assert.equal(
    outcome.rows.map(({ axes }) => `${axes['threshold']}/${axes['control']}`),
    ['raw/none', 'sae-rate/neurons', 'sae-rate/pca', 'sae-rate/random'],
  );
  for (const control of ['neurons', 'pca', 'random']) {
    near(row(outcome, 'sae-rate', control).metrics['firing_rate']!.value, 0.6);
  }
});

test('activations of an item are pooled by their maximum over kept positions', async () => {
  const tokens = GOLDEN.map((values) => [[99, 99, 99, 99, 99], values.map((v) => v / 2), values]);
  const outcome = await run(memoryActivations(tokens, { special: [0] }), identity(5, true), IMAGES);
  const { ms } = outcome.details!['latents'] as { ms: number[] };
  near(ms[0], 0.50507627);
});

test('a dense signed unit is near the floor until it is thresholded', async () => {
  // Two kinds of items; the first unit is high on the rarer kind, but signed and never zero.
  const rng = createRng(1);
  const items = Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? 1 : 0));
  const set = pooledItems(items.map((kind) => [kind * 3 + 0.5 * rng.normal() - 5]));
  const kinds = items.map((kind, i) => (kind ? [1, 0, 0] : [0, i % 2, 1 - (i % 2)]));
  const outcome = await run(set, identity(1, false), kinds, undefined, [0.01, 0.1]);
  const floor = row(outcome, 'raw', 'none').metrics['ms_floor']!.value!;
  const raw = row(outcome, 'raw', 'none').metrics['ms_mean']!.value!;
  const top = row(outcome, 'top-10%', 'none').metrics['ms_mean']!.value!;
  assert.ok(raw - floor < 0.25, `${raw} against ${floor}`);
  assert.ok(top > 0.95, `${top}`);
  assert.is(outcome.rows.length, 2, '1 % are two items: no row');
});

test('random latents score the floor', async () => {
  const rng = createRng(2);
  const n = 400;
  const set = pooledItems(Array.from({ length: n }, () => Array.from({ length: 30 }, () => Math.max(0, rng.normal()))));
  const embedding = Array.from({ length: n }, () => [1, rng.normal(), rng.normal(), rng.normal()]);
  const { metrics } = row(await run(set, identity(30, true), embedding), 'raw', 'none');
  near(metrics['ms_norm']!.value, 0, 0.01);
});

test('identical items give exactly 1 and no value out of range', async () => {
  const outcome = await run(pooledItems([[1], [2], [3]]), identity(1, true), [
    [0.1, 0.7],
    [0.1, 0.7],
    [0.1, 0.7],
  ]);
  const { metrics } = row(outcome, 'raw', 'none');
  assert.ok(metrics['ms_mean']!.value! <= 1);
  near(metrics['ms_mean']!.value, 1);
  assert.is(metrics['ms_norm']!.value, null);
});

test('text falls back to TF-IDF, and images without an embedding to an empty cell', async () => {
  const texts = ['fever and chills', 'fever and cough', 'bond yields', 'bond prices'];
  const items = texts.map((text, i) => ({ id: `${i}`, text }));
  const set = pooledItems([
    [1, 0],
    [1, 0],
    [0, 1],
    [0, 1],
  ]);
  const outcome = await run(set, identity(2, true), undefined, items);
  assert.match(outcome.details!['embedding'] as string, /TF-IDF/);
  assert.ok(row(outcome, 'raw', 'none').metrics['ms_norm']!.value! > 0.1);
  const silent = await run(set, identity(2, true), undefined);
  assert.match(silent.rows[0]!.metrics['ms_mean']!.reason!, /no embedding/);
  const { encode: _, ...noCodes } = identity(2, true);
  assert.match((await run(set, noCodes, undefined, items)).rows[0]!.metrics['ms_mean']!.reason!, /no codes/);
});

test('an embedder goes before what the dataset knows; what it cannot read is an empty cell', async () => {
  const prepare = (reads: ('text' | 'image')[], items: Item[]) =>
    task.prepare!({
      options: {},
      dataset: { embed: async () => ({ data: new Float32Array(4).fill(9), dim: 2, description: 'oracle' }) },
      test: pooledItems([[1], [2]]),
      testItems: items,
      embedder: {
        ...{ id: 'mini', description: 'mini (bert, 01234567)', reads },
        embed: async () => ({ data: Float32Array.from([1, 0, 0, 1]), dim: 2 }),
      },
      progress: () => {},
    } as unknown as Context);
  const texts = [
    { id: 'a', text: 'a' },
    { id: 'b', text: 'b' },
  ];
  const { json, arrays } = await prepare(['text'], texts);
  assert.equal([json.description, [...arrays['embedding']!.data]], ['mini (bert, 01234567)', [1, 0, 0, 1]]);
  const unread = await prepare(['image'], texts);
  assert.equal(unread, { json: { reason: 'the embedder mini reads images, which not every item has' }, arrays: {} });
});

test('TF-IDF cosines are those of the sparse vectors, up to the projection', () => {
  const { data, dim } = tfidfEmbedding([
    { id: 'a', text: 'aa bb' },
    { id: 'b', text: 'AA bb' },
    { id: 'c', text: 'cc dd' },
    { id: 'd', text: '—' },
  ])!;
  const cosine = (i: number, j: number) => {
    const dot = (a: number, b: number) => {
      let sum = 0;
      for (let c = 0; c < dim; c++) sum += data[a * dim + c]! * data[b * dim + c]!;
      return sum;
    };
    return dot(i, j) / Math.sqrt(dot(i, i) * dot(j, j));
  };
  near(cosine(0, 1), 1);
  near(cosine(0, 2), 0, 0.25);
  near(cosine(0, 3), 0, 0.25);
});

test('an embedding without direction is an error that names the item; all-dead latents are counted', async () => {
  try {
    await run(pooledItems([[1], [2]]), identity(1, true), [
      [0, 0],
      [1, 0],
    ]);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, UserError);
    assert.match((error as Error).message, /item '0'/);
  }
  const outcome = await run(pooledItems([[0], [0]]), identity(1, true), [
    [1, 0],
    [0, 1],
  ]);
  assert.is(row(outcome, 'raw', 'none').metrics['dead']!.value, 1);
  assert.is(row(outcome, 'raw', 'none').metrics['ms_mean']!.value, null);
  assert.is(outcome.rows.length, 1);
});

test.run();
