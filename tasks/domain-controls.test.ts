/** @file The controls of a domain on texts of a few words, where every number is known: what reads words, names, seeds, places. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConceptSet, type FittedMethod, type Item, type LanguageModel, tf } from '../harness/contract.ts';
import { initBackend } from '../harness/num/backend.ts';
import { checkedRows } from '../harness/results/rows.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { taskTools } from '../harness/testing/task-tools.ts';
import task from './domain-controls.ts';

const test = suite('tasks/domain-controls');
test.before(async () => {
  await initBackend('cpu');
});

const CONCEPTS = ['sepsis', 'abscess'] as const;
const ENDS = ['. A', ' was seen. B', ' then. C', ' came. D'];
/** Twenty texts with each word and twenty without both, a hospital each; a word is at another place each time. */
const items: Item[] = [...CONCEPTS, 'nothing'].flatMap((word, w) =>
  Array.from({ length: 20 }, (_, i) => {
    const start = `${'so '.repeat(i % 4)}the `;
    const text = `${start}${word}${ENDS[i % ENDS.length]}${i}`;
    const shown = w < 2 ? [word] : [];
    const spans = shown.map((concept) => ({ start: start.length, end: start.length + word.length, concept }));
    return { id: `${word}-${i}`, text, concepts: shown, spans, covariates: { hospital: i % 2 ? 'north' : 'south' } };
  }),
);
const set: ConceptSet = {
  concepts: CONCEPTS.map((id) => ({ id, label: id, prevalence: { positives: 10, labelled: 30 } })),
  items,
  examples: CONCEPTS.flatMap((_, concept) =>
    items.map(({ concepts }, item) => ({
      ...{ concept, item },
      split: item % 20 < 10 ? ('train' as const) : ('eval' as const),
      role: concepts!.includes(CONCEPTS[concept]!) ? ('positive' as const) : ('negative' as const),
    })),
  ),
};

const wordsOf = (text: string) => [...text.matchAll(/\S+/g)];
const idOf = (word: string) => [...word].reduce((sum, each) => (31 * sum + each.charCodeAt(0)) % 9973, 7);
/** One row a word: whether it names a concept, whether it denies, and 1. */
const rowOf = (word: string) => [
  ...CONCEPTS.map((name) => Number(word.includes(name))),
  Number(/^(?:no|not)$/.test(word)),
  1,
];
const activationsOf = (texts: readonly string[]) =>
  memoryActivations(
    texts.map((text) => wordsOf(text).map(([word]) => rowOf(word))),
    { tokenIds: texts.map((text) => wordsOf(text).map(([word]) => idOf(word))) },
  );
const tokenizer = {
  encode: (text: string) => ({
    ids: wordsOf(text).map(([word]) => idOf(word)),
    offsets: wordsOf(text).map(({ 0: word, index }) => [index, index + word.length] as [number, number]),
  }),
};
const subject = { type: 'lm', tokenizer } as unknown as LanguageModel;

type Context = Parameters<typeof task.run>[0];

async function run(method: FittedMethod, more: Partial<Context> = {}) {
  const labelled = memoryLabelled(set, activationsOf(items.map(({ text }) => text!)));
  const context: Partial<Context> = {
    ...{ labelled, subject, progress: () => {}, ...taskTools(method) },
    options: { maskedTexts: 16, statementTexts: 4 },
    method: { ...method, id: 'fake', kind: 'sae' },
    collect: async (made: readonly Item[]) => activationsOf(made.map(({ text }) => text!)),
    ...more,
  };
  const outcome = await task.run(context as Context);
  const [row] = checkedRows(outcome, task.metrics, 'test');
  const value = (name: string) => row!.metrics[name]!.value;
  return { row: row!, value, details: Object.values(outcome.details!)[0] as Record<string, unknown>[] };
}

/** Latents are the columns in the given order, of either sign. */
const columns = (order: number[]): FittedMethod => ({
  ...{ d_in: 4, d_sae: order.length, sparse: true, dispose() {} },
  encode: (x) => ({ kind: 'dense', values: tf.tidy(() => tf.gather(x, order, 1)) }),
  directions: () => Float32Array.from(order.flatMap((column) => [0, 1, 2, 3].map((at) => Number(at === column)))),
});

test('what reads the name: no better than bag of words, nothing without the name, and it does not hear a denial', async () => {
  const { value, row, details } = await run(columns([3, 1, 0]));
  assert.is(row.axes['selection'], 'auroc');
  assert.equal(
    details.map(({ latent }) => latent),
    [2, 1],
  );
  assert.equal([value('auroc'), value('beyond_bow'), value('concepts_beyond'), value('concepts_below')], [1, 0, 0, 0]);
  assert.equal([value('masked_auroc'), value('masked_loss')], [0.5, 0.5]);
  assert.equal([value('affirmed_fires'), value('negated_fires'), value('family_fires')], [1, 1, 1]);
  assert.equal([value('other_fires'), value('denied_auroc')], [0, 0.5]);
  assert.equal([value('precision_at_prevalence'), value('recall_at_prevalence')], [1, 1]);
  assert.equal([value('within_group_auroc'), value('token_auroc')], [1, 1]);
  assert.is(row.metrics['sibling_auroc']!.reason, 'no concept has siblings with held-out items of their own');
  assert.is(row.metrics['seed_cosine']!.reason, 'one seed, or no directions');
  assert.equal(row.samples!.ids, ['sepsis', 'abscess']);
  assert.equal(row.samples!.apart, [false, false]);
  assert.not.match(JSON.stringify({ row, details }), /the nothing|was seen/, 'no text of the domain');
});

test('what answers to what is denied tells the two apart; a latent of nothing is below bag of words', async () => {
  const doubtful: FittedMethod = {
    ...{ d_in: 4, sparse: false, dispose() {} },
    detector: () => ({
      scoreItem: ({ text = '' }) => Number(/sepsis|abscess/.test(text)) - 2 * Number(/\bnot?\b/.test(text)),
    }),
  };
  const { value } = await run(doubtful);
  assert.equal([value('affirmed_fires'), value('negated_fires'), value('denied_auroc')], [1, 0, 1]);
  assert.is(value('token_auroc'), null, 'whole items are scored');
  const { value: none, details } = await run(columns([3]));
  assert.equal([none('auroc'), none('beyond_bow'), none('concepts_below')], [0.5, -0.5, 1]);
  assert.is(details[0]!['verdict'], 'below bag of words');
});

test('two seeds: the latents of both side by side, whatever their order', async () => {
  const other = columns([0, 1, 2]);
  const seeds = { otherSeed: async () => ({ method: other, latents: taskTools(other).latents }) };
  const same = await run(columns([1, 0]), seeds);
  assert.equal([same.value('seed_cosine'), same.value('seed_agreement')], [1, 1]);
  const lost = columns([2, 3]);
  const apart = await run(columns([1, 0]), {
    otherSeed: async () => ({ method: lost, latents: taskTools(lost).latents }),
  });
  assert.equal([apart.value('seed_cosine'), apart.value('seed_agreement')], [0, null]);
});

test('the same method trained on general text: AUROC less its, in pairs, each by the latent that it would choose', async () => {
  const general = (other: FittedMethod) => ({
    general: async () => ({ method: other, latents: taskTools(other).latents }),
  });
  const better = await run(columns([3, 1, 0]), general(columns([3])));
  assert.is(better.value('beyond_general'), 0.5);
  assert.equal(
    better.details.map(({ general_latent, general_ci95 }) => [general_latent, (general_ci95 as number[])[0]! > 0]),
    [
      [0, true],
      [0, true],
    ],
  );
  const same = await run(columns([1, 0]), general(columns([0, 1])));
  assert.is(same.value('beyond_general'), 0);
  const { row } = await run(columns([1, 0]));
  assert.match(row.metrics['beyond_general']!.reason!, /no such method trained on general text/);
});

test('without a language model the words stay in, and the cells say so', async () => {
  const { value, row } = await run(columns([0, 1]), { subject: undefined } as Partial<Context>);
  assert.is(value('auroc'), 1);
  assert.match(row.metrics['masked_auroc']!.reason!, /takes a language model/);
  assert.match(row.metrics['negated_fires']!.reason!, /takes a language model/);
});

test.run();
