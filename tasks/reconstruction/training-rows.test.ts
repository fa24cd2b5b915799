import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Dataset,
  type FittedMethod,
  type MetricValue,
  type TaskContext,
  type Tensor2D,
  tf,
} from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { checkedRows } from '../../harness/results/rows.ts';
import { memoryActivations } from '../../harness/testing/activations.ts';
import { taskTools } from '../../harness/testing/task-tools.ts';
import task from '../reconstruction.ts';
import { gapMarks, generalisationGap, trainingRows, trainingSource } from './training-rows.ts';

const test = suite('tasks/reconstruction/training-rows');
test.before(async () => {
  await initBackend('wasm');
});

const normalRows = (seed: number, items: number, each = 2) => {
  const rng = createRng(seed);
  return Array.from({ length: items }, () => Array.from({ length: each }, () => [rng.normal(), rng.normal()]));
};
const near = (actual: number | null, expected: number, tolerance = 1e-5) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
const cell = (value: number, low: number, high: number): MetricValue => ({ value, ci95: [low, high], n: 9 });

/** x̂ is about x where x is a training row, else x times `kept`. */
async function gapOf(kept: number, codes: 'dense' | 'topk' = 'dense', parts?: string[]) {
  const training = normalRows(1, 40);
  const known = new Set(training.flat().map(([first]) => Math.fround(first!)));
  const fitted: FittedMethod = {
    ...{ d_in: 2, d_sae: 2, sparse: codes === 'topk', dispose() {} },
    encode(x) {
      if (codes === 'dense') return { kind: 'dense', values: tf.clone(x) };
      const indices = tf.tile(tf.tensor2d([[0, 1]], [1, 2], 'int32'), [x.shape[0], 1]) as Tensor2D;
      return { kind: 'topk', d_sae: 2, indices, values: tf.clone(x) };
    },
    decode(given) {
      const rows = given.values.arraySync() as number[][];
      return tf.tensor2d(
        rows.map((row) => (known.has(row[0]!) ? [row[0]!, 0.98 * row[1]!] : row.map((value) => kept * value))),
      );
    },
  };
  const context = {
    options: { documents: 10, cleanMiB: 1 },
    site: { name: 'resid', d: 2, modality: 'text', kind: 'tokens', ...(parts ? { parts } : {}) },
    dataset: {} as Dataset,
    test: memoryActivations(normalRows(2, 40)),
    train: memoryActivations(training),
    method: { ...fitted, id: 'fake', kind: 'sae' },
    ...taskTools(fitted),
    progress: () => {},
  } as unknown as TaskContext<{ documents: number; cleanMiB: number }>;
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  const outcome = await task.run({ ...context, prepared });
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return { metrics: checkedRows(outcome, task.metrics, 'reconstruction')[0]!.metrics, marks: outcome.marks };
}

test('a method that knows its training rows by heart: the gap stands in the row and is marked', async () => {
  for (const codes of ['dense', 'topk'] as const) {
    const { metrics, marks } = await gapOf(0.5, codes);
    const [training, heldOut] = [metrics['explained_variance_training']!.value!, metrics['explained_variance']!.value!];
    near(training, 1, 0.001);
    near(metrics['generalisation_gap']!.value, training - heldOut);
    assert.ok(metrics['generalisation_gap']!.ci95![0] > 0.05);
    assert.is(metrics['explained_variance_training']!.n, 80);
    assert.equal(
      marks!.map(({ code }) => code),
      ['generalisation-gap'],
    );
    assert.match(marks![0]!.message, /^Explained variance is 1\.000 on 80 training rows and 0\.\d{3} on held-out ones/);
  }
});

test('a joint site has training rows too', async () => {
  const { metrics } = await gapOf(0.5, 'dense', ['a', 'b']);
  near(metrics['explained_variance_training']!.value, 1, 0.001);
});

test('one that does as well on both has no mark', async () => {
  const { metrics, marks } = await gapOf(1);
  near(metrics['generalisation_gap']!.value, 0, 0.001);
  assert.equal(marks, []);
});

test('the mark: above 0.05, and not where the interval has 0', () => {
  const marked = (training: MetricValue, heldOut: MetricValue) =>
    gapMarks(generalisationGap(training, heldOut), training, heldOut).length > 0;
  assert.ok(marked(cell(0.39, 0.38, 0.4), cell(0.08, 0.06, 0.1)));
  assert.not(marked(cell(0.66, 0.655, 0.665), cell(0.62, 0.615, 0.625)), 'sure, and small');
  assert.not(marked(cell(0.66, 0.56, 0.76), cell(0.58, 0.48, 0.68)), 'large, and not sure');
  assert.not(marked(cell(0.08, 0.06, 0.1), cell(0.39, 0.38, 0.4)), 'better on held-out rows');
  assert.ok(marked({ ...cell(0.66, 0, 0), ci95: null }, cell(0.58, 0.57, 0.59)), 'no interval to doubt it by');
});

test('the interval of the gap has the arms of both; an undefined explained variance gives no gap', () => {
  const gap = generalisationGap(cell(0.5, 0.47, 0.6), cell(0.3, 0.2, 0.34));
  near(gap.value, 0.2);
  near(gap.ci95![0], 0.2 - 0.05);
  near(gap.ci95![1], 0.2 + Math.hypot(0.1, 0.1));
  assert.is(generalisationGap({ value: null, ci95: null, n: 0 }, cell(0, 0, 0)).value, null);
});

test('the sample: kept rows only, no more than asked for, the same each time, whole where all fit', async () => {
  const set = memoryActivations(normalRows(3, 30, 4), { special: [0] });
  const all = await trainingRows(set, 1000);
  assert.equal(all['training_rows']!.shape, [90, 2]);
  const some = await trainingRows(set, 10);
  assert.equal(some['training_rows']!.shape, [10, 2]);
  assert.equal(await trainingRows(set, 10), some);
  const kept = normalRows(3, 30, 4).flatMap((item) => item.slice(1).map(([first]) => Math.fround(first!)));
  const drawn = Array.from(some['training_rows']!.data).filter((_, at) => at % 2 === 0);
  assert.ok(drawn.every((value) => kept.includes(value)));
  const grouped = await trainingRows({ ...set, groups: new Uint32Array(30).fill(7) }, 10);
  assert.ok(grouped['training_units']!.data.every((unit) => unit === 7));
  assert.equal(Array.from(trainingSource(grouped).groups!), Array.from(grouped['training_units']!.data));
});

test('never more than 2,048 rows, whatever the set', async () => {
  const set = memoryActivations(normalRows(4, 5000, 1));
  assert.is((await trainingRows(set, 5000))['training_units']!.data.length, 2048);
});

test.run();
