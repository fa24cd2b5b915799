/** @file Joined texts: who stands behind whom, what is left out, and detectors with and without a second concept. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConceptSet, type FittedMethod, type Item, type LanguageModel, tf } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { checkedRows } from '../../harness/results/rows.ts';
import { memoryActivations, memoryLabelled } from '../../harness/testing/activations.ts';
import { taskTools } from '../../harness/testing/task-tools.ts';
import task from '../concept-detection.ts';
import { joinTexts, KINDS } from './joined.ts';
import { conceptSplits } from './splits.ts';

const test = suite('tasks/concept-detection/joined');
test.before(async () => {
  await initBackend('cpu');
});

/** Two concepts with five held-out texts of each role; each text says its concept's word or `plain`, and its number. */
const WORDS = ['gull', 'ship'];
const PARTS = [
  ['train', 'positive', 3],
  ['train', 'negative', 3],
  ['eval', 'positive', 5],
  ['eval', 'negative', 6],
] as const;
const listed = WORDS.flatMap((word, concept) =>
  PARTS.flatMap(([split, role, count]) =>
    Array.from({ length: count }, (_, i) => ({
      example: { concept, split, role },
      item: {
        id: `${word} ${split} ${role} ${i}`,
        text: `ask ${role === 'positive' ? word : 'plain'} ${word[0]}${i}`,
        responseStart: 4,
      },
    })),
  ),
);
const set: ConceptSet = {
  concepts: WORDS.map((word) => ({ id: word, label: word })),
  items: listed.map(({ item }) => item),
  examples: listed.map(({ example }, item) => ({ ...example, item })),
};
const join = (texts: number, given = set, first = given.items.length) =>
  joinTexts(given, conceptSplits(given, createRng(0), 0), texts, first, createRng(1));

test('positives and negatives with the same others behind them, responses alone, no text twice in a kind', () => {
  const { items, byConcept } = join(3);
  assert.is(items.length, 2 * KINDS.length * 3);
  const textOf = (place: number) => items[place - set.items.length]!.text!;
  byConcept.forEach((own, c) => {
    const [word, other] = [WORDS[c]!, WORDS[1 - c]!];
    const patterns = {
      both: new RegExp(`^ask ${word} \\w\\d\\n\\n${other} \\w\\d$`),
      other: new RegExp(`^ask plain \\w\\d\\n\\n${other} \\w\\d$`),
      alone: new RegExp(`^ask ${word} \\w\\d\\n\\nplain \\w\\d$`),
      neither: /^ask plain \w\d\n\nplain \w\d$/,
    };
    for (const kind of KINDS) {
      const texts = [...own![kind]].map(textOf);
      for (const text of texts) assert.match(text, patterns[kind]);
      assert.is(new Set(texts).size, 3);
    }
    const tails = (kind: 'both' | 'other') => [...own![kind]].map((place) => textOf(place).split('\n\n')[1]);
    assert.equal(tails('both'), tails('other'));
  });
  assert.equal(join(3), join(3));
  assert.is(new Set(items.map(({ id }) => id)).size, items.length);
});

test('as many as there are texts; none of one concept alone, of none, or where the others show it too', () => {
  assert.is(join(100).byConcept[0]!.both.length, 3, 'half of six negatives');
  assert.equal(join(0), { items: [], byConcept: [undefined, undefined] });
  const one = {
    ...set,
    concepts: set.concepts.slice(0, 1),
    examples: set.examples.filter(({ concept }) => concept === 0),
  };
  assert.equal(join(3, one), { items: [], byConcept: [undefined] });
  const both = { ...set, items: set.items.map((item) => ({ ...item, concepts: WORDS })) };
  assert.equal(join(3, both).byConcept, [undefined, undefined]);
});

test('long responses are cut alike', () => {
  const long = { ...set, items: set.items.map((item) => ({ ...item, text: `${item.text} ${'word '.repeat(200)}` })) };
  for (const { text } of join(2, long).items) assert.is(text!.split(/\s+/).length, 1 + 2 * 32);
});

type Context = Parameters<typeof task.run>[0];
/** Rows of a text: whether it says the first word, and the second. */
const rowsOf = (text: string) => [WORDS.map((word) => Number(text.includes(word)))];

async function metricsOf(score: (x: number[], concept: number) => number, joinedTexts: number) {
  const method: FittedMethod = {
    ...{ d_in: 2, sparse: false, dispose() {} },
    detector: ({ id }) => ({
      score: (x) => tf.tensor1d((x.arraySync() as number[][]).map((row) => score(row, WORDS.indexOf(id)))),
    }),
  };
  const context: Partial<Context> = {
    ...{
      labelled: memoryLabelled(set, memoryActivations(set.items.map(({ text }) => rowsOf(text!)))),
      progress: () => {},
    },
    ...taskTools(method),
    subject: { type: 'lm' } as LanguageModel,
    options: { probeK: [], extraNegatives: 0, latentExamples: 0, injectedWords: 1, injectedTexts: 0, joinedTexts },
    method: { ...method, id: 'fake', kind: 'baseline' },
    collect: async (items: readonly Item[]) => memoryActivations(items.map(({ text }) => rowsOf(text!))),
  };
  return checkedRows(await task.run(context as Context), task.metrics, 'test')[0]!.metrics;
}

test('a detector that the second concept does not touch, and one that it drowns', async () => {
  const own = await metricsOf((row, c) => row[c]!, 4);
  assert.equal([own['joined_auroc']!.value, own['joined_alone']!.value, own['auroc']!.value], [1, 1, 1]);
  const drowned = await metricsOf((row, c) => (row[1 - c] === 1 ? 5 : row[c]!), 4);
  assert.equal([drowned['joined_auroc']!.value, drowned['joined_alone']!.value, drowned['auroc']!.value], [0.5, 1, 1]);
  const off = await metricsOf((row, c) => row[c]!, 0);
  assert.is(off['joined_auroc']!.value, null);
  assert.match(off['joined_auroc']!.reason!, /no texts were joined/);
});

test.run();
