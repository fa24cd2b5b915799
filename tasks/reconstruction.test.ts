import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ActivationSet,
  type Dataset,
  type FittedMethod,
  type Subject,
  type TaskContext,
  type TaskOutcome,
  tf,
  UserError,
} from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
import { bigramModel } from '../harness/testing/language-model.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import task from './reconstruction.ts';

const test = suite('tasks/reconstruction');
test.before(async () => {
  await initBackend('wasm');
});

type Context = TaskContext<{ documents: number; cleanMiB: number }>;
type Method = Context['method'];

/** A method with dense codes x·scale and the given reconstruction of the whole batch. */
function method(decode?: (codes: number[][]) => number[][], sparse = false): Method {
  const fitted: FittedMethod = {
    d_in: 2,
    d_sae: 2,
    sparse,
    encode: (x) => ({ kind: 'dense', values: tf.clone(x) }),
    dispose: () => {},
  };
  if (decode) {
    fitted.decode = (codes) => tf.tensor2d(decode(codes.values.arraySync() as number[][]), codes.values.shape);
  }
  return { ...fitted, id: 'fake', kind: 'baseline' };
}

async function run(
  set: ActivationSet,
  evaluated: Method,
  overrides: { subject?: Subject; cleanMiB?: number; documents?: number } = {},
): Promise<{ outcome: TaskOutcome; cell: (name: string) => number | null }> {
  const context = {
    options: { documents: overrides.documents ?? 10, cleanMiB: overrides.cleanMiB ?? 1 },
    subject: overrides.subject,
    site: { name: 'resid', d: 2, modality: 'text', kind: 'tokens' },
    dataset: {} as Dataset,
    test: set,
    testItems: Array.from({ length: set.bounds.length - 1 }, (_, i) => ({ id: `${i}` })),
    train: set,
    rng: createRng(0),
    seed: 0,
    progress: () => {},
  } as unknown as Context;
  const before = tf.memory().numTensors;
  const prepared = await task.prepare!(context);
  const given = await task.run({ ...context, ...taskTools(evaluated), prepared, method: evaluated });
  const outcome = { ...given, rows: checkedRows(given, task.metrics, 'reconstruction') };
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return { outcome, cell: (name) => outcome.rows[0]!.metrics[name]!.value };
}

const near = (actual: number | null, expected: number, tolerance = 1e-6) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('positions that a filter left out take no part, and a second row has the numbers with them', async () => {
  const sink = [1000, 0];
  const items = [
    [sink, [1, 0], [0, 1]],
    [sink, [2, 0], [0, 2]],
  ];
  const all = memoryActivations(items);
  const filtered = { ...memoryActivations(items, { special: [0] }), unfiltered: all.keep };
  // x̂ = x/2.
  const half = method((codes) => codes.map((row) => row.map((value) => value / 2)));
  const { outcome, cell } = await run(filtered, half);
  near(cell('l2_norm_in'), 1.5);
  assert.equal(
    outcome.rows.map(({ axes }) => axes),
    [{}, { positions: 'unfiltered' }],
  );
  const { outcome: whole } = await run(all, half);
  assert.is(whole.rows.length, 1);
  for (const name of ['explained_variance', 'mse', 'l0']) {
    assert.equal(outcome.rows[1]!.metrics[name], whole.rows[0]!.metrics[name], name);
  }
  assert.is(outcome.rows[1]!.metrics['ce']!.reason, 'measured at the positions that count');
});

test('greatest cosine between latents’ directions', async () => {
  const set = memoryActivations([[[1, 2]], [[3, 1]]]);
  const own = method((x) => x);
  const none = (await run(set, own)).outcome.rows[0]!.metrics['max_decoder_cosine']!;
  assert.equal([none.value, none.reason], [null, 'needs two latents with directions of their own']);
  // Latents 0 and 1 lie 45° apart, latent 2 is latent 0 longer: greatest cosines 1, √½ and 1.
  const three: Method = {
    ...{ d_in: 2, d_sae: 3, sparse: false, id: 'fake', kind: 'baseline' },
    encode: (x) => ({
      kind: 'dense',
      values: tf.pad(x, [
        [0, 0],
        [0, 1],
      ]),
    }),
    directions: () => Float32Array.of(1, 0, 1, 1, 2, 0),
    dispose() {},
  };
  const { cell, outcome } = await run(set, three);
  near(cell('max_decoder_cosine'), (2 + Math.SQRT1_2) / 3);
  assert.is(outcome.rows[0]!.metrics['max_decoder_cosine']!.n, 3);
});

test('explained variance: the hand-computed case, perfect, and the mean predictor', async () => {
  const set = memoryActivations([
    [
      [2, 0],
      [0, 4],
    ],
  ]);
  const { cell, outcome } = await run(
    set,
    method(() => [
      [2, 1],
      [0, 3],
    ]),
  );
  near(cell('explained_variance'), 0.8);
  near(cell('mse'), 1);
  near(cell('nmse'), 0.2);
  near(cell('l2_norm_in'), 3);
  near(cell('freq_over_10_percent'), 1);
  near(cell('relative_reconstruction_bias'), 14 / 16);
  near(cell('l2_ratio'), (Math.sqrt(5) / 2 + 3 / 4) / 2);
  near(cell('cosine'), (4 / (2 * Math.sqrt(5)) + 1) / 2);
  near(cell('l0'), 1);
  near(cell('l1'), 3);
  assert.equal(outcome.rows[0]!.metrics['explained_variance']!.ci95, null, 'one document has no interval');
  near(
    (
      await run(
        set,
        method((x) => x),
      )
    ).cell('explained_variance'),
    1,
    0,
  );
  near(
    (
      await run(
        set,
        method((x) => x.map(() => [1, 2])),
      )
    ).cell('explained_variance'),
    0,
  );
  near(
    (
      await run(
        set,
        method((x) => x.map(() => [0, 0])),
      )
    ).cell('nmse'),
    10 / 5,
  );
});

test('special positions take no part, and means are over all documents alike', async () => {
  const set = memoryActivations(
    [
      [
        [1000, 1000],
        [2, 0],
      ],
      [
        [-500, 3],
        [0, 4],
      ],
    ],
    { special: [0] },
  );
  const { cell, outcome } = await run(
    set,
    method((x) => x.map(([a, b]) => (a === 2 ? [2, 1] : [0, b! - 1]))),
  );
  near(cell('explained_variance'), 0.8);
  assert.is(outcome.rows[0]!.metrics['mse']!.n, 2);
  assert.is(outcome.rows[0]!.metrics['mse']!.ci95, null, 'two equal errors, and nothing that bounds others');
});

test('items of one group are one unit of an interval: a patient with many images counts once', async () => {
  // Six patients with ten images each; an image's error is its patient's.
  const error = (item: number) => [0, 0.1, 0.2, 0.4, 0.5, 0.9][Math.floor(item / 10)]!;
  const items = Array.from({ length: 60 }, (_, i) => [[i % 10, i % 7]]);
  const shifted = method((x) => x.map(([a, b], i) => [a! + error(i), b!]));
  const groups = Uint32Array.from(items, (_, i) => Math.floor(i / 10));
  const alone = (await run(memoryActivations(items), shifted)).outcome.rows[0]!.metrics['mse']!;
  const grouped = (await run({ ...memoryActivations(items), groups }, shifted)).outcome.rows[0]!.metrics['mse']!;
  assert.is(grouped.value, alone.value);
  assert.equal([alone.units, grouped.units], [60, 6]);
  const width = ({ ci95 }: { ci95: [number, number] | null }) => ci95![1] - ci95![0];
  assert.ok(width(grouped) > 2 * width(alone), `${width(grouped)} vs ${width(alone)}`);
});

test('fraction alive and densities count kept positions', async () => {
  const set = memoryActivations([[[1, 0]], [[0, 0]], [[3, 0]], [[0, 0]]]);
  const { cell, outcome } = await run(
    set,
    method((x) => x),
  );
  near(cell('fraction_alive'), 0.5);
  const { x, y } = outcome.curves!['density']!;
  assert.is(
    y.reduce((sum, count) => sum + count, 0),
    1,
  );
  near(x[y.indexOf(1)]!, Math.log10(0.5), 0.125);
});

test('a constant activation has no explained variance, rather than Infinity', async () => {
  const set = memoryActivations([[[1, 1]], [[1, 1]]]);
  const { outcome } = await run(
    set,
    method((x) => x.map(() => [0, 1])),
  );
  const cell = outcome.rows[0]!.metrics['explained_variance']!;
  assert.is(cell.value, null);
  assert.match(cell.reason!, /denominator is zero/);
});

test('no decode and no subject give empty cells with the reason', async () => {
  const set = memoryActivations([[[1, 0]], [[0, 2]]]);
  const { outcome, cell } = await run(set, method());
  assert.is(cell('explained_variance'), null);
  assert.match(outcome.rows[0]!.metrics['explained_variance']!.reason!, /cannot decode/);
  near(cell('l0'), 1);
  const withDecode = await run(
    set,
    method((x) => x),
  );
  assert.match(withDecode.outcome.rows[0]!.metrics['ce']!.reason!, /imported/);
  const { encode: _, ...silent } = method();
  assert.match((await run(set, silent)).outcome.rows[0]!.metrics['l0']!.reason!, /no codes/);
});

test('NaN from a method is an error that names it', async () => {
  try {
    await run(
      memoryActivations([[[1, 0]], [[0, 2]]]),
      method((x) => x.map(() => [Number.NaN, 0])),
    );
    assert.unreachable();
  } catch (error) {
    assert.instance(error, UserError);
    assert.match((error as Error).message, /method 'fake', document 0/);
  }
});

/** Token t embeds as row t; token 0 is special. Logits are the embedding in the first two tokens, 0 and 1. */
const EMBEDDING = [
  [5, 5],
  [2, 0],
  [0, 1],
];
const UNEMBEDDING = [
  [0, 1, 0],
  [0, 0, 1],
];
const lmItems = [
  [0, 1, 1, 1],
  [0, 2, 2],
  [0, 1],
];
const lmSet = () =>
  memoryActivations(
    lmItems.map((ids) => ids.map((id) => EMBEDDING[id]!)),
    { special: [0], tokenIds: lmItems },
  );
const crossEntropy = (x: number[], next: number) =>
  Math.log(1 + Math.exp(x[0]!) + Math.exp(x[1]!)) - [0, x[0]!, x[1]!][next]!;

test('cross-entropies of a language model, by hand: clean, zero, mean, spliced', async () => {
  const model = bigramModel(EMBEDDING, UNEMBEDDING);
  const { cell, outcome } = await run(
    lmSet(),
    method((x) => x.map((row) => row.map((v) => v / 2))),
    { subject: model },
  );
  // Predicted after a kept position: 1→1 twice in item 0, 2→2 in item 1; nothing in item 2.
  const pairs: [number, number][] = [
    [1, 1],
    [1, 1],
    [2, 2],
  ];
  const mean = (replace: (x: number[]) => number[]) =>
    pairs.reduce((sum, [token, next]) => sum + crossEntropy(replace(EMBEDDING[token]!), next), 0) / 3;
  // Kept rows: tokens 1, 1, 1, 2, 2, 1.
  const [clean, zero, ablated] = [mean((x) => x), mean(() => [0, 0]), mean(() => [4 / 3, 1 / 3])];
  const half = mean((x) => x.map((v) => v / 2));
  near(cell('ce_clean'), clean);
  near(cell('ce_zero'), zero);
  near(cell('ce_mean'), ablated);
  near(cell('ce'), half);
  near(cell('ce_loss_score'), (zero - half) / (zero - clean), 1e-5);
  near(cell('ce_loss_score_mean'), (ablated - half) / (ablated - clean), 1e-5);
  assert.is(outcome.rows[0]!.metrics['ce']!.n, 3);
  assert.ok(cell('kl')! > 0);
  assert.match(outcome.rows[0]!.metrics['zero_shot_change']!.reason!, /CLIP/);
});

test('the identity costs nothing, with stored clean passes or without', async () => {
  const model = bigramModel(EMBEDDING, UNEMBEDDING);
  for (const cleanMiB of [1, 0]) {
    const passes = model.passes();
    const { cell } = await run(
      lmSet(),
      method((x) => x),
      { subject: model, cleanMiB },
    );
    near(cell('kl'), 0, 0);
    near(cell('kl_score'), 1, 0);
    near(cell('ce_loss_score'), 1, 1e-6);
    // Clean, zero, mean and spliced; once more clean where it was not stored.
    assert.is(model.passes() - passes, cleanMiB === 1 ? 4 : 5);
  }
});

test('where zeros predict better than the subject there is no share of a loss to recover', async () => {
  // The logits are turned over: the tokens that came are the least likely ones.
  const model = bigramModel(
    EMBEDDING,
    UNEMBEDDING.map((row) => row.map((value) => -value)),
  );
  const { outcome, cell } = await run(
    lmSet(),
    method((x) => x.map((row) => row.map((value) => value / 2))),
    { subject: model },
  );
  assert.ok(cell('ce_zero')! < cell('ce_clean')!);
  assert.is(cell('ce_loss_score'), null);
  assert.match(outcome.rows[0]!.metrics['ce_loss_score']!.reason!, /below zero/);
  assert.ok(cell('kl_score')! > 0);
});

test('zero ablation by the method itself scores 0', async () => {
  const model = bigramModel(EMBEDDING, UNEMBEDDING);
  const { cell } = await run(
    lmSet(),
    method((x) => x.map(() => [0, 0])),
    { subject: model },
  );
  near(cell('ce_loss_score'), 0, 1e-6);
  near(cell('kl_score'), 0, 1e-6);
});

test.run();
