import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ConceptDetector,
  type ConceptExample,
  type ConceptSet,
  type FittedMethod,
  type Item,
  type LabelledActivations,
  type Role,
  type Split,
  type TaskOutcome,
  type Tensor1D,
  tf,
  UserError,
} from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import task from './concept-detection.ts';

const test = suite('tasks/concept-detection');
test.before(async () => {
  await initBackend('wasm');
});

type Context = Parameters<typeof task.run>[0];

/** An item of some concepts, with the rows of its positions. */
interface Labelled {
  rows: number[][];
  uses: [concept: number, split: Split, role: Role][];
  item?: Partial<Item>;
}

function labelledOf(entries: Labelled[], concepts: number): LabelledActivations {
  const set: ConceptSet = {
    concepts: Array.from({ length: concepts }, (_, i) => ({ id: `c${i}`, label: `Concept  ${i}`, domain: 'test' })),
    items: entries.map(({ item }, i) => ({ id: `i${i}`, ...item })),
    examples: entries.flatMap(({ uses }, item) =>
      uses.map(([concept, split, role]): ConceptExample => ({ concept, item, split, role })),
    ),
  };
  return memoryLabelled(set, memoryActivations(entries.map(({ rows }) => rows)));
}

const identity = (d: number, sparse: boolean, labels?: Record<number, string>): FittedMethod => ({
  d_in: d,
  d_sae: d,
  sparse,
  encode: (x) => ({ kind: 'dense', values: tf.clone(x) }),
  ...(labels && { labels }),
  dispose: () => {},
});

const supervised = (detector: (concept: string) => ConceptDetector | undefined): FittedMethod => ({
  d_in: 1,
  sparse: false,
  detector: ({ id }) => detector(id),
  dispose: () => {},
});

async function run(
  labelled: LabelledActivations,
  method: FittedMethod,
  options = { probeK: [1, 2], extraNegatives: 99, latentExamples: 0 },
): Promise<TaskOutcome> {
  const before = tf.memory().numTensors;
  const context = {
    options: { injectedWords: 3, injectedTexts: 0, ...options },
    labelled,
    method: { ...method, id: 'fake', kind: 'sae' },
    ...taskTools(method),
    progress: () => {},
  } as unknown as Context;
  const outcome = await task.run(context);
  assert.is(tf.memory().numTensors, before, 'tensors leaked');
  return { ...outcome, rows: checkedRows(outcome, task.metrics, 'concept-detection') };
}

const near = (actual: number | null | undefined, expected: number, tolerance = 1e-9) =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
const value = (outcome: TaskOutcome, selection: string, metric: string) =>
  outcome.rows.find(({ axes }) => axes['selection'] === selection)!.metrics[metric]!.value;

/** One concept; each row of scores is one item of one position and one latent. */
function single(scores: Record<'trainPositive' | 'trainNegative' | 'positive' | 'negative' | 'hard', number[]>) {
  const make =
    (split: Split, role: Role) =>
    (score: number): Labelled => ({ rows: [[score]], uses: [[0, split, role]] });
  return labelledOf(
    [
      ...scores.trainPositive.map(make('train', 'positive')),
      ...scores.trainNegative.map(make('train', 'negative')),
      ...scores.positive.map(make('eval', 'positive')),
      ...scores.negative.map(make('eval', 'negative')),
      ...scores.hard.map(make('eval', 'hard-negative')),
    ],
    1,
  );
}

const byRow: ConceptDetector = { score: (x) => tf.squeeze(tf.slice(x, [0, 0], [-1, 1]), [1]) as Tensor1D };

test('every metric by hand, for a supervised detector', async () => {
  const outcome = await run(
    single({
      trainPositive: [4, 6],
      trainNegative: [1, 2],
      positive: [5, 2.5, 7, 8],
      negative: [1, 3.5, 0, 2],
      hard: [6, 1],
    }),
    supervised(() => byRow),
  );
  // Positives above negatives: 4, 3, 4, 4 of 4 each.
  near(value(outcome, 'detector', 'auroc'), 15 / 16);
  // Hard negatives: 6 beats two positives, 1 none.
  near(value(outcome, 'detector', 'auroc_hard'), (15 + 2 + 4) / 24);
  // Ranking 8 7 5 | 3.5 | 2.5 …
  near(value(outcome, 'detector', 'average_precision'), (1 + 1 + 1 + 4 / 5) / 4);
  // Threshold half-way between 4 and 2: 3 of 4 positives and 1 of 4 negatives above.
  const [details] = outcome.details!['detector'] as { threshold: number; id: string }[];
  assert.equal([details!.threshold, details!.id], [3, 'c0']);
  near(value(outcome, 'detector', 'f1'), 6 / 8);
  near(value(outcome, 'detector', 'hard_negative_accuracy'), 1 / 2);
  // At 1 %: precision 0.01·0.75 / (0.01·0.75 + 0.99·0.25).
  const precision = 0.0075 / (0.0075 + 0.2475);
  near(value(outcome, 'detector', 'f1_1pct'), (2 * precision * 0.75) / (precision + 0.75));
  const { x, y } = outcome.curves!['roc/detector']!;
  assert.equal([x.length, y[100]], [101, 1]);
  near(y[24], 0.75);
  near(y[25], 1);
});

test('scores are the maximum over positions, and a raw-item detector needs no activations', async () => {
  const uses = (split: Split, role: Role): [number, Split, Role][] => [[0, split, role]];
  const labelled = labelledOf(
    [
      { rows: [[0], [9], [0]], uses: uses('train', 'positive'), item: { text: 'long text' } },
      { rows: [[1], [1]], uses: uses('train', 'negative'), item: { text: 'short' } },
      { rows: [[-5], [3]], uses: uses('eval', 'positive'), item: { text: 'long again' } },
      { rows: [[2], [2]], uses: uses('eval', 'negative'), item: { text: 'brief' } },
    ],
    1,
  );
  near(
    value(
      await run(
        labelled,
        supervised(() => byRow),
      ),
      'detector',
      'auroc',
    ),
    1,
  );
  const length: ConceptDetector = { scoreItem: ({ text }) => text!.length };
  near(
    value(
      await run(
        labelled,
        supervised(() => length),
      ),
      'detector',
      'auroc',
    ),
    1,
  );
});

/** Latent c fires on concept c, latent 5 on everything, latent 6 at random; the rest never. */
function oracleSet(): LabelledActivations {
  const rng = createRng(4);
  const entries: Labelled[] = [];
  for (let concept = 0; concept < 4; concept++) {
    for (const split of ['train', 'eval'] as const) {
      for (let i = 0; i < 12; i++) {
        const role = i < 6 ? 'positive' : 'negative';
        const rows = [0, 1, 2].map((position) => {
          const row = new Array<number>(8).fill(0);
          row[5] = 1 + rng.uniform();
          row[6] = rng.uniform();
          if (role === 'positive' && position === i % 3) row[concept] = 2 + rng.uniform();
          return row;
        });
        entries.push({ rows, uses: [[concept, split, role]] });
      }
    }
  }
  return labelledOf(entries, 4);
}

test('a saturated oracle: every selection finds the concept, dense or sparse', async () => {
  for (const sparse of [true, false]) {
    const labels = { 0: 'concept 0', 1: 'CONCEPT 1 ', 2: 'c2', 7: 'nothing' };
    const outcome = await run(oracleSet(), identity(8, sparse, labels));
    assert.equal(
      outcome.rows.map(({ axes }) => axes['selection']),
      ['auroc', 'probe-k1', 'probe-k2', 'label'],
    );
    for (const { axes, metrics } of outcome.rows) {
      for (const name of ['auroc', 'auroc_hard', 'average_precision', 'f1', 'auroc_1pct', 'f1_1pct']) {
        near(metrics[name]!.value, 1, 1e-9);
      }
      assert.is(metrics['auroc']!.n, axes['selection'] === 'label' ? 3 : 4);
      assert.match(metrics['hard_negative_accuracy']!.reason!, /no concept has hard negatives/);
    }
    const chosen = outcome.details!['auroc'] as { latent: number; sign: number }[];
    assert.equal(
      chosen.map(({ latent, sign }) => [latent, sign]),
      [0, 1, 2, 3].map((latent) => [latent, 1]),
    );
  }
});

test('a concept that shows as a low value is found in signed codes, by the negated latent', async () => {
  const uses = (split: Split, role: Role): [number, Split, Role][] => [[0, split, role]];
  const entries = (['train', 'eval'] as const).flatMap((split) => [
    { rows: [[1], [-4]], uses: uses(split, 'positive') },
    { rows: [[1], [-5]], uses: uses(split, 'positive') },
    { rows: [[1], [0]], uses: uses(split, 'negative') },
    { rows: [[1], [-1]], uses: uses(split, 'negative') },
  ]);
  const outcome = await run(labelledOf(entries, 1), identity(1, false));
  near(value(outcome, 'auroc', 'auroc'), 1);
  near(value(outcome, 'probe-k1', 'auroc'), 1);
  const [chosen] = outcome.details!['auroc'] as { latent: number; sign: number }[];
  assert.equal([chosen!.latent, chosen!.sign], [0, -1]);
});

test('random latents: a choice on training items does not carry over to held-out ones', async () => {
  const rng = createRng(9);
  const entries: Labelled[] = [];
  for (let concept = 0; concept < 30; concept++) {
    for (let i = 0; i < 40; i++) {
      const rows = [Array.from({ length: 20 }, () => Math.max(0, rng.normal()))];
      entries.push({ rows, uses: [[concept, i % 2 ? 'train' : 'eval', i % 4 < 2 ? 'positive' : 'negative']] });
    }
  }
  const outcome = await run(labelledOf(entries, 30), identity(20, true));
  // Nobody says what these latents stand for: a row without values, with the reason.
  const rows = outcome.rows.filter(({ axes }) => axes['selection'] !== 'label');
  assert.is(rows.length, outcome.rows.length - 1);
  for (const { metrics } of rows) near(metrics['auroc']!.value, 0.5, 0.07);
  const chosen = outcome.details!['auroc'] as { train_auroc: number }[];
  assert.ok(chosen.every(({ train_auroc }) => train_auroc > 0.6));
  const [low, high] = outcome.rows[0]!.metrics['auroc']!.ci95!;
  assert.ok(low < 0.5 && high > 0.5);
});

test('extra negatives: other concepts lend theirs, but never an item that shows the concept', async () => {
  const one = (concept: number, split: Split, role: Role, score: number, item: Partial<Item> = {}): Labelled => ({
    rows: [[score]],
    uses: [[concept, split, role]],
    item,
  });
  const labelled = labelledOf(
    [
      ...[0, 1].flatMap((concept) => [one(concept, 'train', 'positive', 5), one(concept, 'train', 'negative', 0)]),
      one(0, 'eval', 'positive', 5),
      one(0, 'eval', 'negative', 0),
      one(1, 'eval', 'positive', 5),
      // These show concept 0 by their spans or by name: no negatives of it, though negatives of concept 1.
      one(1, 'eval', 'negative', 9, { text: 'x', spans: [{ start: 0, end: 1, concept: 'c0' }] }),
      one(1, 'eval', 'negative', 8, { concepts: ['c0', 'c7'] }),
      one(1, 'eval', 'negative', 6),
    ],
    2,
  );
  const outcome = await run(
    labelled,
    supervised(() => byRow),
  );
  const details = outcome.details!['detector'] as { auroc: number; auroc_1pct: number }[];
  near(details[0]!.auroc, 1);
  near(details[0]!.auroc_1pct, 1 / 2);
  near(details[1]!.auroc_1pct, 1 / 4);
});

test('a method that scores nothing gives an empty row with the reason', async () => {
  const labelled = single({ trainPositive: [1], trainNegative: [0], positive: [1], negative: [0], hard: [] });
  const outcome = await run(
    labelled,
    supervised(() => ({ direction: new Float32Array(1) })),
  );
  assert.match(outcome.rows[0]!.metrics['auroc']!.reason!, /'fake' gives no score/);
});

test('hostile data: an empty class, a leak between splits, NaN scores', async () => {
  const full = { trainPositive: [1], trainNegative: [0], positive: [1], negative: [0], hard: [] };
  const leaked = labelledOf(
    [
      {
        rows: [[1]],
        uses: [
          [0, 'train', 'positive'],
          [0, 'eval', 'positive'],
        ],
      },
      { rows: [[0]], uses: [[0, 'train', 'negative']] },
      { rows: [[0]], uses: [[0, 'eval', 'negative']] },
    ],
    1,
  );
  const hostile: [LabelledActivations, ConceptDetector, RegExp][] = [
    [
      single({ ...full, trainPositive: [] }),
      byRow,
      /concept 'c0'.*training positives and negatives, found 0 positives and 1 negatives/,
    ],
    [
      single({ ...full, positive: [] }),
      byRow,
      /concept 'c0'.*held-out positives and negatives, found 0 positives and 1 negatives/,
    ],
    [
      single({ ...full, negative: [] }),
      byRow,
      /concept 'c0'.*held-out positives and negatives, found 1 positives and 0 negatives/,
    ],
    [leaked, byRow, /concept 'c0': item 'i0' is in both splits/],
    [single({ ...full, positive: [Number.NaN] }), byRow, /concept 'c0', item 'i2'.*finite/],
    [single(full), { scoreItem: () => Number.POSITIVE_INFINITY }, /concept 'c0', item 'i0'.*Infinity/],
  ];
  for (const [labelled, detector, message] of hostile) {
    try {
      await run(
        labelled,
        supervised(() => detector),
      );
      assert.unreachable();
    } catch (error) {
      assert.instance(error, UserError);
      assert.match((error as Error).message, message);
    }
  }
});

test('two classes of the same items: their equal AUROC is no certainty, and each row says what items add to it', async () => {
  const rng = createRng('two classes');
  const [first, second]: ['positive' | 'negative', 'positive' | 'negative'] = ['positive', 'negative'];
  const entries = (['train', 'eval'] as const).flatMap((split) =>
    Array.from({ length: 40 }, (_, i): Labelled => {
      const roles: [Role, Role] = i < 20 ? [first, second] : [second, first];
      return {
        rows: [[(i < 20 ? 1 : 0) + rng.normal()]],
        uses: [
          [0, split, roles[0]],
          [1, split, roles[1]],
        ],
      };
    }),
  );
  const sign: ConceptDetector = { score: (x) => tf.neg(tf.squeeze(tf.slice(x, [0, 0], [-1, 1]), [1])) as Tensor1D };
  const outcome = await run(
    labelledOf(entries, 2),
    supervised((id) => (id === 'c0' ? byRow : sign)),
  );
  const [row] = outcome.rows;
  const { value: mean, ci95 } = row!.metrics['auroc']!;
  assert.equal(row!.samples!.values, [mean, mean], 'one thing measured once');
  // The error of one AUROC near 0.76 of 20 and 20 items: about 0.075.
  assert.ok(ci95![1] - ci95![0] > 0.2, String(ci95));
  const { shared } = row!.samples!;
  const error = Math.sqrt(shared!.reduce((sum, each) => sum + each * each, 0));
  assert.ok(error > 0.04 && error < 0.12, String(error));
  near(
    shared!.reduce((sum, each) => sum + each, 0),
    0,
    1e-6,
  );
});

test('items of their own: values by concept, and nothing shared', async () => {
  const outcome = await run(
    single({ trainPositive: [4, 6], trainNegative: [1, 2], positive: [5, 7], negative: [3, 1], hard: [] }),
    supervised(() => byRow),
  );
  assert.equal(outcome.rows[0]!.samples, { unit: 'concept', ids: ['c0'], values: [1] });
});

test.run();
