/** @file The task on a world small enough to know every answer: orthogonal features, a parent with a child. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../harness/activations/activation-set.ts';
import { type Dataset, type Item, type TaskContext, tf } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { csrFromDense } from '../harness/num/csr.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import task from './ground-truth.ts';

const test = suite('tasks/ground-truth');
test.before(async () => {
  await initBackend('auto');
});

const FEATURES = 4;
type Context = Parameters<typeof task.run>[0];
type Method = Context['method'];

/** Feature 1 is the child of 0; 2 and 3 stand alone. Feature f of row r is active by the row's number. */
const magnitudes = (id: string): number[] => {
  const row = Number(id.split('-')[1]);
  const parent = row % 2 === 0 ? 2 : 0;
  return [parent, row % 4 === 0 ? 1 : 0, row % 3 === 0 ? 1 : 0, row % 5 === 0 ? 3 : 0];
};

const identity = Float32Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 1 : 0));

const rowsOf = (items: readonly Item[]) => Float32Array.from(items.flatMap(({ id }) => magnitudes(id)));
const dataset: Dataset = {
  id: 'known',
  modality: 'vectors',
  fingerprint: 'f',
  corpus: async (split, n) => Array.from({ length: n }, (_, i) => ({ id: `${split}-${i}` })),
  activations: {
    site: { name: 'known', d: FEATURES, modality: 'vectors', kind: 'pooled' },
    rows: async (items) => rowsOf(items),
  },
  groundTruth: {
    features: FEATURES,
    parents: Int32Array.of(-1, 0, -1, -1),
    directions: async () => identity,
    of: (items) => csrFromDense(rowsOf(items), items.length, FEATURES),
  },
};

/** ReLU(x · Wᵀ) with the rows of W, decoded by the same rows. */
function method(rows: number[][], more: Partial<Method> = {}): Method {
  const W = () => tf.tensor2d(rows);
  return {
    ...{ id: 'fake', kind: 'sae', d_in: FEATURES, d_sae: rows.length, sparse: true },
    encode: (x) => ({ kind: 'dense', values: tf.tidy(() => tf.relu(tf.matMul(x, W(), false, true))) }),
    decode: (codes) => tf.tidy(() => tf.matMul(codes.values, W())),
    directions: () => Float32Array.from(rows.flat()),
    dispose() {},
    ...more,
  } as Method;
}

const TEST = 120;
async function run(evaluated: Method, on: Dataset = dataset, options = {}, more: Partial<Context> = {}) {
  const testItems = await on.corpus('test', TEST);
  const context = {
    options: { recoveredAt: 0.9, probeRows: 200, probes: 4, ...options },
    ...{ dataset: on, site: on.activations!.site, testItems, rng: createRng(0), seed: 0, progress() {} },
    test: memorySet(rowsOf(testItems), FEATURES),
    train: memorySet(rowsOf(await on.corpus('train', 400)), FEATURES),
    ...more,
  } as unknown as TaskContext<never>;
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  // What is the same for all methods is not drawn again for each: at 16,384 features that takes minutes.
  const again = () => assert.unreachable('drawn again');
  const known = { ...on, groundTruth: { ...on.groundTruth!, of: again, directions: again } } as never;
  const given = await task.run({ ...context, dataset: known, ...taskTools(evaluated), prepared, method: evaluated });
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  const [row] = checkedRows(given, task.metrics, 'ground-truth');
  return { given, row: row!, cell: (name: string) => row!.metrics[name]!.value };
}

const near = (actual: number | null, expected: number, tolerance = 1e-6) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
const unit = (...places: number[]) => Array.from({ length: FEATURES }, (_, j) => (places.includes(j) ? 1 : 0));

test('the true dictionary: everything found, nothing split, absorbed or mixed', async () => {
  const { cell, given, row } = await run(method([unit(2), unit(0), unit(3), unit(1)]));
  for (const name of [
    'mcc',
    'many_to_one',
    'recovered',
    'uniqueness',
    'f1',
    'precision',
    'recall',
    'feature_f1',
    'feature_f1_threshold',
  ]) {
    near(cell(name), 1);
  }
  for (const name of ['split', 'absorption', 'composition']) near(cell(name), 0);
  for (const name of ['explained_variance', 'shrinkage', 'alive', 'f1_ceiling']) near(cell(name), 1);
  // ½ + ¼ + ⅓ + ⅕ of the rows.
  near(cell('true_l0'), 0.5 + 0.25 + 1 / 3 + 0.2);
  near(cell('l0'), cell('true_l0')!);
  assert.is(row.samples!.values.length, FEATURES);
  assert.equal(given.details!['features'], {
    ...{ matched: [1, 3, 0, 2], cosine: [1, 1, 1, 1], nearest: [1, 1, 1, 1], f1: [1, 1, 1, 1] },
  });
  assert.is(given.curves!['by-frequency']!.x.length, FEATURES);
});

test('a child’s latent that takes its parent’s place: absorption, at an explained variance of 1', async () => {
  // Latent 0 speaks for the parent where the child is silent, latent 1 for both (its direction has both).
  const absorbing = method([unit(0), [2, 1, 0, 0], unit(2), unit(3)], {
    encode: (x) => ({
      kind: 'dense',
      values: tf.tidy(() => {
        const [parent, child, third, fourth] = tf.split(x, 4, 1);
        return tf.concat([tf.mul(parent!, tf.equal(child!, 0)), child!, third!, fourth!], 1);
      }) as never,
    }),
  });
  const { cell } = await run(absorbing);
  near(cell('explained_variance'), 1);
  // The child's direction is the third of (2, 1): its matched |cos| is 1/√5.
  near(cell('mcc'), (3 + 1 / Math.sqrt(5)) / 4);
  near(cell('recovered'), 3 / 4);
  near(cell('composition'), 1 / 4);
  assert.is(cell('absorption'), 1);
});

test('one latent for two features, twice the same latent, a dead one', async () => {
  const { cell } = await run(method([unit(2, 3), unit(0), unit(0), [0, -1, 0, 0]]));
  near(cell('mcc'), (Math.SQRT1_2 + 1 + 0 + 1) / 4);
  near(cell('many_to_one'), (1 + 1 + 2 * Math.SQRT1_2) / 4);
  near(cell('uniqueness'), 3 / 4);
  near(cell('alive'), 3 / 4);
  near(cell('composition'), 1 / 4);
  // The mixed latent fires on 1/3 + 1/5 − 1/15 of the rows, feature 2 being active on 1/3 of all.
  const precision = 1 / 3 / (1 / 3 + 1 / 5 - 1 / 15);
  near(cell('precision'), (precision + 1 + 1 + 0) / 4);
  near(cell('recall'), (1 + 1 + 1 + 0) / 4);
});

test('a latent that also fires faintly elsewhere: its F1 at 0 is low, at a threshold from training rows 1', async () => {
  // Latent 2 is 1 where its feature is and 0.1 wherever the first feature is.
  const leaky = method([unit(0), unit(1), unit(2), unit(3)], {
    encode: (x) => ({
      kind: 'dense',
      values: tf.tidy(() => tf.add(x, tf.mul(tf.slice(x, [0, 0], [-1, 1]), tf.tensor2d([[0, 0, 0.05, 0]])))) as never,
    }),
  });
  const { cell } = await run(leaky);
  // Right on 1/3 of the rows, where it also is on the half that has the first feature, less the sixth that has both.
  near(cell('feature_f1'), (3 + 2 / 3 / (1 / 3 + 1 / 3 + 1 / 2 - 1 / 6)) / 4);
  near(cell('feature_f1_threshold'), 1);
  // The threshold comes from training rows: where nothing there shows that, none is found.
  const blind = await run(
    leaky,
    dataset,
    {
      probeRows: 100,
      probes: 0,
    },
    { train: memorySet(new Float32Array(400 * FEATURES), FEATURES) },
  );
  assert.ok(blind.cell('feature_f1_threshold')! < 1);
});

test('training rows, which thresholds alone need, are encoded and not decoded', async () => {
  const rows = { encoded: 0, decoded: 0 };
  const plain = method([unit(2), unit(0), unit(3), unit(1)]);
  await run({
    ...plain,
    encode: (x) => {
      rows.encoded += x.shape[0];
      return plain.encode!(x);
    },
    decode: (codes) => {
      rows.decoded += codes.values.shape[0];
      return plain.decode!(codes);
    },
  });
  assert.equal(rows, { encoded: TEST + 200, decoded: TEST });
});

test('fewer latents than features: pairs alone count in MCC, all features in feature_f1 and many_to_one', async () => {
  const { cell, row } = await run(method([unit(0), unit(2)]));
  near(cell('mcc'), 1);
  near(cell('feature_f1'), 0.5);
  near(cell('feature_f1_threshold'), 0.5);
  near(cell('many_to_one'), 0.5);
  assert.equal(row.samples!.ids, ['feature 0', 'feature 2']);
});

test('what a method lacks is an empty cell with its reason', async () => {
  const dense = await run(method([unit(0), unit(1)], { sparse: false }));
  assert.is(dense.row.metrics['f1']!.reason, "'fake' is dense: it has no firing");
  near(dense.cell('mcc'), 1);
  // Signed codes of which k are not 0: what is not 0 fires, as in SAELens.
  const signed = await run(
    method(
      [unit(0), unit(1), unit(2), unit(3)].map((row) => row.map((value) => -value)),
      {
        sparse: false,
        encode: (x) => {
          const indices = tf.tile(tf.reshape(tf.range(0, FEATURES, 1, 'int32'), [1, FEATURES]), [x.shape[0], 1]);
          return { kind: 'topk', indices, values: tf.neg(x), d_sae: FEATURES } as never;
        },
        decode: (codes) => tf.neg(codes.values),
      },
    ),
  );
  near(signed.cell('f1'), 1);
  near(signed.cell('feature_f1_threshold'), 1);
  near(signed.cell('mcc'), 1);
  const blind = await run({ ...method([unit(0)]), directions: undefined } as never);
  assert.is(blind.row.metrics['mcc']!.reason, "'fake' has no directions");
  assert.is(blind.row.metrics['f1']!.reason, "'fake' has no codes with directions");
  const mute = await run({ ...method([unit(0)]), encode: undefined, decode: undefined } as never);
  assert.is(mute.row.metrics['l0']!.reason, "'fake' has no codes");
  near(mute.cell('mcc'), 1);
});

test('no hierarchy, no probes, other widths', async () => {
  const { parents: _parents, ...flat } = dataset.groundTruth!;
  const world = { ...dataset, groundTruth: flat };
  const { row } = await run(method([unit(0)]), world, { probes: 0 });
  assert.is(row.metrics['absorption']!.reason, 'the world has no hierarchy');
  assert.match(row.metrics['f1_ceiling']!.reason!, /no feature was probed/);
  const wide = { ...method([unit(0)]), directions: () => new Float32Array(7) } as Method;
  const message = await run(wide).then(() => '', String);
  assert.match(message, /'fake': expected directions of width 4, as the features of known have; found 7 numbers/);
});

test('probes are trained on the rows as collected, where fewer items are others', async () => {
  const corpus: Dataset['corpus'] = async (split, n) => (await dataset.corpus(split, n)).reverse();
  const { cell } = await run(method([unit(0)]), { ...dataset, corpus });
  near(cell('f1_ceiling'), 1);
});

test('an abort comes through, long before all is prepared', async () => {
  const controller = new AbortController();
  let told = 0;
  const progress = () => {
    told++;
    setImmediate(() => controller.abort(new Error('enough')));
  };
  const message = await run(method([unit(0)]), dataset, {}, { progress, signal: controller.signal }).then(
    () => '',
    String,
  );
  assert.match(message, /enough/);
  assert.is(told, 1);
});

test('a dataset that does not know its features is told of', () => {
  const context = { dataset: { id: 'words' }, site: { kind: 'pooled' } } as never;
  assert.match(task.unavailable!(context)!, /the dataset words does not know the features/);
});

test.run();
