/** @file The judge by likeness of embeddings: its grades by hand, with vectors that can be read, and with a tiny BERT. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Concept, ConceptSet, Dataset, ItemEmbedder, Role, Split } from '../../harness/contract.ts';
import { embedItems, packageRoot } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { judgeOn } from '../../harness/testing/task-tools.ts';
import bert from '../../models/subjects/bert.ts';
import embedding from './embedding.ts';
import { conceptLikeness, gradeOf, gradesOf, topicGrades } from './parts/likeness.ts';

const test = suite('tasks/judges/embedding');

const concept: Concept = { id: 'sea', label: 'sea' };

/** Sixteen training texts with the concept and without it, behind prompts of four kinds; held-out ones would mislead. */
function datasetOf(withIt: string, without: string, prompts: readonly string[]): Dataset {
  const of = (split: Split, role: Role, text: string) =>
    Array.from({ length: 16 }, (_, i) => ({ split, role, start: prompts[i % prompts.length]!, text }));
  const all = [
    ...of('train', 'positive', withIt),
    ...of('train', 'negative', without),
    ...of('eval', 'positive', without),
    ...of('eval', 'negative', withIt),
  ];
  const set: ConceptSet = {
    concepts: [concept],
    items: all.map(({ start, text }, i) => {
      const before = `${start}\n`;
      return { id: `${i}`, text: `${before}${text} ${start.split(' ')[1]}`, responseStart: before.length };
    }),
    examples: all.map(({ split, role }, item) => ({ concept: 0, item, split, role })),
  };
  return { id: 'words', modality: 'text', fingerprint: '', corpus: async () => [], concepts: async () => set };
}

/** One axis a word: counts. */
const WORDS = ['sea', 'gull', 'hill', 'goat', 'red', 'blue', 'old', 'new', 'say'];
const counting: ItemEmbedder = {
  id: 'counts',
  description: 'counts of words',
  reads: ['text'],
  async embed(items) {
    const data = new Float32Array(items.length * WORDS.length);
    items.forEach(({ text = '' }, i) => {
      for (const word of text.split(/\W+/)) {
        const at = WORDS.indexOf(word);
        if (at >= 0) data[i * WORDS.length + at]! += 1;
      }
    });
    return { data, dim: WORDS.length };
  },
};

test('grades begin at the 95th percentile of the low and the median of the high', () => {
  const grades = gradesOf([0.4, 0.8, 0.9], [0, 0.1, 0.2]);
  assert.ok(Math.abs(grades.weak - 0.19) < 1e-12);
  assert.is(grades.clear, 0.8);
  assert.equal(
    [0.19, 0.2, 0.79, 0.8].map((score) => gradeOf(score, { weak: 0.19, clear: 0.8 })),
    [0, 1, 1, 2],
  );
  assert.is(gradesOf([0.1], [0.5]).clear, 0.5, 'never below the first');
});

test('a text is scored by the means, a training text by those of the others', () => {
  const [r, s] = [Math.SQRT1_2, 0.8];
  const likeness = conceptLikeness(Float32Array.of(1, 0, 0.6, s), Float32Array.of(0, 1, -r, r), 2);
  // Of the positives each is scored by the other: cos .6, less the cosine with the mean of the negatives.
  const theirs = [-r / Math.hypot(r, 1 + r), (1 + r) / Math.hypot(r, 1 + r)];
  const own = [0.6 - theirs[0]!, 0.6 - (0.6 * theirs[0]! + s * theirs[1]!)];
  assert.ok(Math.abs(likeness.clear - Math.max(likeness.weak, (own[0]! + own[1]!) / 2)) < 1e-6);
  const ours = [1.6 / Math.hypot(1.6, s), s / Math.hypot(1.6, s)];
  assert.ok(Math.abs(likeness.score(Float32Array.of(9, 0, 1), 1) - (ours[1]! - theirs[1]!)) < 1e-6);
});

test('keeping to a prompt: against the prompts of texts half the number away', () => {
  const axes = Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1);
  const turned = Float32Array.of(0, 1, 1, 0, 0, 1, 1, 0);
  assert.equal(topicGrades(axes, turned, 2), { weak: 0, clear: 0 });
  const four = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  assert.equal(topicGrades(four, four, 4), { weak: 0, clear: 1 });
});

test('concept and prompt by likeness, calibrated on training texts alone; an echo and an empty text show nothing', async () => {
  const prompts = ['say red please', 'say blue please', 'say old please', 'say new please'];
  const judge = judgeOn(datasetOf('sea gull', 'hill goat', prompts), embedding, { embedder: counting });
  const prompt = { id: 'p', text: 'say red please\n' };
  const texts = [
    'gull sea red',
    'goat hill red',
    'gull sea blue',
    '',
    'say red please',
    'say red please: sea gull red',
  ];
  const rated = await judge.rate(texts.map((text) => ({ text, concept, prompt })));
  assert.equal(rated.slice(0, 5), [
    { concept: 2, instruct: 2 },
    { concept: 0, instruct: 2 },
    { concept: 2, instruct: 0 },
    { concept: 0, instruct: 0 },
    { concept: 0, instruct: 0 },
  ]);
  assert.equal(rated[5], rated[0], 'only what is its own counts');
  assert.match(await judge.description(), /counts of words.*a denied mention counts like any other/);
  const [silent] = await judge.rate([{ text: 'sea gull', concept, prompt: { id: 'q', text: ' ' } }]);
  assert.equal(silent, { concept: 2, instruct: null, reason: 'the prompt is empty' });
});

test('what it cannot be fitted on is refused in a line', async () => {
  const alike = judgeOn(datasetOf('sea', 'hill', ['say red please']), embedding, { embedder: counting });
  const none = datasetOf('sea', 'hill', ['say red', 'say blue', 'say old', 'say new']);
  const given = await none.concepts!({});
  const unlike = { ...given, examples: given.examples.filter(({ role }) => role === 'positive') };
  const lone = judgeOn({ ...none, concepts: async () => unlike }, embedding, { embedder: counting });
  const row = { text: 'sea', concept, prompt: { id: 'p', text: 'say' } };
  const refusal = (judge: typeof lone) =>
    judge.rate([row]).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  assert.match(
    await refusal(lone),
    /judge embedding: concept 'sea': expected at least 2 training texts without it.*found 0/,
  );
  assert.match(await refusal(alike), /at least 4 training texts that begin differently; found 1/);
  assert.match(await refusal(judgeOn(none, embedding)), /judge embedding: expected an encoder; found none/);
  assert.match(judgeOn({ ...none, modality: 'image' }, embedding).unavailable!, /no labelled texts/);
});

test('with a tiny BERT: ratings of the three grades, the same twice', async () => {
  await initBackend('cpu');
  const encoder = await bert.load(join(packageRoot, 'models/subjects/testdata/bert'), { id: 'bert' });
  const embedder: ItemEmbedder = {
    ...{ id: 'bert', description: 'bert', reads: ['text'] as const },
    embed: (items, signal) => embedItems(encoder, items, signal),
  };
  const data = datasetOf('nurse nurse nurse', 'tree tree tree', ['old nurse', 'old tree', 'nurse old', 'tree old']);
  const prompt = { id: 'p', text: 'old nurse' };
  const rows = ['nurse nurse nurse', 'tree tree tree', 'old old old'].map((text) => ({ text, concept, prompt }));
  const rated = await judgeOn(data, embedding, { embedder }).rate(rows);
  assert.is(rated[0]!.concept, 2);
  assert.is(rated[1]!.concept, 0);
  assert.ok(rated.every(({ instruct }) => [0, 1, 2].includes(instruct!)));
  assert.equal(await judgeOn(data, embedding, { embedder }).rate(rows), rated);
  encoder.dispose();
});

test.run();
