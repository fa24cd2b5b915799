import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConceptSet, type FittedMethod, type Item, type LanguageModel, tf } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { checkedRows } from '../../harness/results/rows.ts';
import { memoryActivations, memoryLabelled } from '../../harness/testing/activations.ts';
import { taskTools } from '../../harness/testing/task-tools.ts';
import task from '../concept-detection.ts';
import { injectWords, textsOfEach } from './injection.ts';
import { conceptSplits } from './splits.ts';

const test = suite('tasks/concept-detection/injection');
test.before(async () => {
  await initBackend('cpu');
});

const TEXTS = [
  ['train', 'positive', 'the gull and the tern flew'],
  ['train', 'positive', 'a gull, a tern: gull!'],
  ['train', 'positive', 'the gull slept on ice'],
  ['train', 'negative', 'the ship and the port slept'],
  ['train', 'negative', 'the ship left'],
  ['train', 'negative', 'one ship slept on ice'],
  ['eval', 'positive', 'gull'],
  ['eval', 'negative', 'Q: a b\nthe ship is old'],
  ['eval', 'negative', 'harbour'],
] as const;
const set: ConceptSet = {
  concepts: [{ id: 'birds', label: 'birds' }],
  items: TEXTS.map(([, , text], i) => ({ id: `i${i}`, text, ...(i === 7 ? { responseStart: 7 } : {}) })),
  examples: TEXTS.map(([split, role], item) => ({ concept: 0, item, split, role })),
};
const splits = conceptSplits(set, createRng(0), 0);
const inject = (options: { words: number; texts: number }) => injectWords(set, splits, options, createRng(1));

test('the words that tell training positives from negatives go between the words of negatives, and others into a control', () => {
  const { items, byConcept, words } = inject({ words: 2, texts: 5 });
  // gull: 3 of 3 against 0 of 3; tern: 2 of 3. `slept` and `ice` are as frequent among negatives, `flew` stands in one text.
  assert.equal(words, [['gull', 'tern']]);
  const { base, injected, control } = byConcept[0]!;
  assert.equal([...base].sort(), [7, 8]);
  assert.equal([...injected, ...control], [9, 10, 11, 12]);
  const textOf = (place: number) => items[place - set.items.length]!.text!;
  base.forEach((place, i) => {
    const before = set.items[place]!.text!;
    for (const [changed, put] of [
      [textOf(injected[i]!), words[0]!],
      [textOf(control[i]!), undefined],
    ] as const) {
      const had = before.split(/\s+/).sort();
      const has = changed.split(/\s+/).sort();
      assert.is(has.length, had.length + 2);
      if (put) assert.equal(has, [...had, ...put].sort());
      else assert.not.ok(/gull|tern/.test(changed));
      if (place === 7) assert.ok(changed.startsWith('Q: a b\n'), changed);
      if (place === 8) assert.ok(changed.startsWith('harbour '), changed);
    }
  });
  assert.is(
    items.every((item) => item.id !== 'i7' && item.id !== 'i8'),
    true,
  );
});

test('the same stream gives the same texts; a concept without such words has none', () => {
  assert.equal(inject({ words: 3, texts: 1 }), inject({ words: 3, texts: 1 }));
  assert.is(inject({ words: 3, texts: 1 }).items.length, 2);
  const turned = splits.map((split) => ({ ...split, train: { ...split.train, labels: new Uint8Array(6).fill(1) } }));
  const none = injectWords(
    { ...set, items: set.items.map((item) => ({ ...item, text: '' })) },
    turned,
    { words: 2, texts: 2 },
    createRng(1),
  );
  assert.equal(none, { items: [], byConcept: [undefined], words: [[]] });
});

test('where few words are left for the control, as few of the concept go into the other texts', () => {
  const items = set.items.map((item, i) => ({ ...item, text: i < 3 ? 'gull tern auk' : i < 6 ? 'the ship' : 'a b' }));
  const given = injectWords({ ...set, items }, splits, { words: 3, texts: 2 }, createRng(1));
  assert.equal(given.words, [['auk', 'gull']]);
  const lengths = given.items.map(({ text }) => text!.split(/\s+/).length);
  assert.equal(lengths, [4, 4, 4, 4]);
});

test('fewer texts of each concept where concepts are many, or their texts long and the site wide', () => {
  /** Concepts with two negatives each of `rows` rows. */
  const texts = (concepts: number, rows: number, d_in: number, asked = 12) =>
    textsOfEach(
      { words: 3, texts: asked },
      Array.from({ length: concepts }, () => ({ negatives: Uint32Array.of(0, 1) })),
      { bounds: Uint32Array.of(0, rows - 1, 2 * rows), d_in },
    );
  assert.is(texts(16, 253, 576), 12);
  assert.is(texts(10, 10, 64, 100), 60);
  assert.is(texts(500, 10, 64), 1);
  // 2^28 bytes are 43,690 rows of d 768 with words of concepts, and as many with others: 85.3 texts of 512.
  assert.is(texts(10, 509, 768), 8);
  assert.is(texts(1, 509, 768, 600), 85);
  assert.is(texts(3000, 100_000, 768), 1);
  assert.is(texts(3, 100_000, 768, 0), 0);
});

/** Rows of a text: how often it says gull, and how long it is. */
const rowsOf = (text: string) => [[text.split('gull').length - 1, text.length]];
const activations = memoryActivations(TEXTS.map(([, , text]) => rowsOf(text)));

type Context = Parameters<typeof task.run>[0];

async function run(method: FittedMethod, injectedTexts = 12) {
  const labelled = memoryLabelled(set, activations);
  const collected: string[] = [];
  const subject = { type: 'lm' } as LanguageModel;
  const context: Partial<Context> = {
    ...{ labelled, subject, progress: () => {}, ...taskTools(method) },
    options: { probeK: [], extraNegatives: 0, latentExamples: 0, injectedWords: 1, injectedTexts, joinedTexts: 0 },
    method: { ...method, id: 'fake', kind: 'baseline' },
    async collect(items: readonly Item[]) {
      collected.push(...items.map(({ id }) => id));
      return memoryActivations(items.map(({ text }) => rowsOf(text!)));
    },
  };
  const outcome = await task.run(context as Context);
  const rows = checkedRows(outcome, task.metrics, 'test');
  return {
    rows,
    collected,
    metrics: rows[0]!.metrics,
    details: outcome.details as Record<string, { injected_words?: string[] }[]>,
  };
}

const column = (at: number): FittedMethod => ({
  ...{ d_in: 2, sparse: false, dispose() {} },
  detector: () => ({ score: (x) => tf.tidy(() => tf.reshape(tf.slice(x, [0, at], [-1, 1]), [-1])) }),
});

test('a detector of words fires on negatives with the word and not on the control; one of lengths on neither', async () => {
  const byWord = await run(column(0));
  assert.is(byWord.metrics['injected_fires']!.value, 1);
  assert.is(byWord.metrics['control_fires']!.value, 0);
  assert.is(byWord.metrics['fooled']!.value, 1);
  assert.is(byWord.collected.length, 4);
  assert.equal(byWord.details['detector']![0]!.injected_words, ['gull']);
  // The same through the latents of a dictionary, dense or sparse, and through scores of whole items.
  for (const sparse of [false, true]) {
    const { rows } = await run({
      ...{ d_in: 2, d_sae: 1, sparse, dispose() {} },
      encode: (x) => ({ kind: 'dense', values: tf.tidy(() => tf.slice(x, [0, 0], [-1, 1])) }),
    });
    assert.is(rows[0]!.metrics['injected_fires']!.value, 1, `sparse ${sparse}`);
    assert.is(rows[0]!.metrics['control_fires']!.value, 0);
  }
  const whole = await run({
    ...{ d_in: 2, sparse: false, dispose() {} },
    detector: () => ({
      scoreItems: async ({ items }, places) =>
        Float32Array.from(places, (at) => items[at]!.text!.split('gull').length - 1),
    }),
  });
  assert.is(whole.metrics['injected_fires']!.value, 1);
  assert.is(whole.metrics['control_fires']!.value, 0);
});

test('where nothing can be put into texts the cells are empty, with the reason; a constant detector fires already', async () => {
  const off = await run(column(0), 0);
  assert.is(off.metrics['injected_fires']!.value, null);
  assert.match(off.metrics['injected_fires']!.reason!, /no words were put into texts/);
  assert.equal(off.collected, []);
  const constant = await run({
    ...{ d_in: 2, sparse: false, dispose() {} },
    detector: () => ({ score: (x) => tf.ones([x.shape[0]]) }),
  });
  assert.is(constant.metrics['injected_fires']!.value, null);
});

test.run();
