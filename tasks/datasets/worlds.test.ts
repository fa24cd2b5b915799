/** @file The two worlds as datasets: disjoint splits, right labels, spread concepts, steering prompts, embeddings. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet, Dataset, Item } from '../../harness/contract.ts';
import { sha256Json } from '../../harness/kit/index.ts';
import { MERGES } from '../worlds/text-world/merges.ts';
import { WORD_PATTERN } from '../worlds/text-world/token-count.ts';
import imageWorld from './image-world.ts';
import { spreadOverDomains } from './parts/spread.ts';
import textWorld from './text-world.ts';

const test = suite('tasks/datasets/worlds');
const open = (definition: typeof textWorld, seed = 0): Promise<Dataset> =>
  definition.open({ train: 6, eval: 5 }, { seed, baseDir: '' });
const text = await open(textWorld);
const image = await open(imageWorld);
const content = ({ text, image }: Item): string => text ?? (image as { data: Uint8Array }).data.join();
const itemsOf = (set: ConceptSet, role: string, split: string): Item[] =>
  set.examples.filter((e) => e.role === role && e.split === split).map((e) => set.items[e.item]!);

test('a round over the domains', () => {
  const entries = ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'].map((id) => ({ id, domain: id[0]! }));
  const ids = (n?: number) => spreadOverDomains(entries, n).map(({ id }) => id);
  assert.equal(ids(), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  assert.equal(ids(2), ['a1', 'b1']);
  assert.equal(ids(99).length, 6);
});

for (const [name, dataset, n] of [
  ['text-world', text, 300],
  ['image-world', image, 60],
] as const) {
  test(`${name}: the corpora and the concepts share nothing, and a longer corpus begins with the shorter`, async () => {
    const train = await dataset.corpus('train', n);
    const held = await dataset.corpus('test', n / 2);
    const set = await dataset.concepts!({ concepts: 3 });
    const all = [...train, ...held, ...set.items];
    assert.is(new Set(all.map(content)).size, all.length);
    assert.is(new Set(all.map(({ id }) => id)).size, all.length);
    assert.equal(await dataset.corpus('train', 7), train.slice(0, 7));
  });

  test(`${name}: the concept set has the sizes asked for, at most perClass`, async () => {
    const set = await dataset.concepts!({ concepts: 4, perClass: 3 });
    assert.is(set.concepts.length, 4);
    assert.is(new Set(set.concepts.map(({ domain }) => domain)).size, 4);
    const counts = (concept: number, split: string, role: string) =>
      set.examples.filter((e) => e.concept === concept && e.split === split && e.role === role).length;
    assert.equal(
      [counts(2, 'train', 'positive'), counts(2, 'eval', 'negative'), counts(2, 'eval', 'hard-negative')],
      [3, 3, 3],
    );
    assert.is(counts(2, 'train', 'hard-negative'), 0);
    const full = await dataset.concepts!({ concepts: 1 });
    assert.is(itemsOf(full, 'positive', 'train').length, 6);
    assert.is(itemsOf(full, 'negative', 'eval').length, 5);
  });
}

for (const [name, dataset] of Object.entries({ text, image })) {
  test(`${name}: an item names every concept that it shows, whichever concept it was drawn for`, async () => {
    const set = await dataset.concepts!({ concepts: 16 });
    for (const { concept, item, role } of set.examples) {
      const { id } = set.concepts[concept]!;
      assert.is(set.items[item]!.concepts!.includes(id), role === 'positive', `${set.items[item]!.id} and ${id}`);
    }
    const negatives = itemsOf(set, 'negative', 'eval');
    assert.ok(negatives.some(({ concepts }) => set.concepts.some(({ id }) => concepts!.includes(id))));
  });
}

test('a seed is a dataset of its own', async () => {
  const other = await open(textWorld, 1);
  assert.not.equal(other.fingerprint, text.fingerprint);
  assert.not.equal((await other.corpus('train', 1))[0]!.text, (await text.corpus('train', 1))[0]!.text);
  const again = await open(textWorld);
  assert.is(again.fingerprint, text.fingerprint);
  // Lengths are counted in tokens of the world's own: other merges, and words cut otherwise, give other examples.
  const tokenizer = sha256Json({ words: WORD_PATTERN, merges: MERGES });
  assert.is(text.fingerprint, sha256Json({ seed: 0, options: { train: 6, eval: 5 }, tokenizer }));
  assert.equal(await again.concepts!({ concepts: 1 }), await text.concepts!({ concepts: 1 }));
});

test('text-world: spans, response and label agree with the text', async () => {
  const set = await text.concepts!({ concepts: 2 });
  for (const item of itemsOf(set, 'positive', 'eval')) {
    assert.is(item.text![item.responseStart! - 1], '\n');
    assert.ok(item.spans!.every(({ start, end }) => start >= item.responseStart! && end <= item.text!.length));
    assert.ok(set.concepts.some(({ id }) => item.spans!.some(({ concept }) => concept === id)));
    assert.ok(item.generatorNats! > 10);
  }
});

test('text-world: prompts differ, have different topics, and the judge looks at the generated text only', async () => {
  const prompts = await text.prompts!(30);
  assert.is(new Set(prompts.map((prompt) => prompt.text)).size, 30);
  assert.is(new Set(prompts.slice(0, 24).map(({ topic }) => topic)).size, 24);
  const concept = { id: 'joy', label: 'joy' };
  assert.is(text.judge!.concept('', concept), 0);
  assert.is(text.judge!.instruction('', prompts[0]!), 0);
  const document = (await text.concepts!({ concepts: 16, perClass: 1 })).items.find(
    ({ id }) => id === 'joy-train-positive-0',
  )!;
  const response = document.text!.slice(document.responseStart);
  assert.is(text.judge!.concept(response, concept), 2);
  assert.is(text.judge!.instruction(response, { id: 'p', text: '', topic: document.labels!['topic']! }), 2);
});

test('image-world: pairs of each attribute, which no other item is among', async () => {
  const image = await imageWorld.open({ train: 4, eval: 4 }, { seed: 0, baseDir: '.' });
  const pairs = await image.attributePairs!(2);
  assert.is(pairs.length, 2 * 9);
  const ids = pairs.flatMap(({ before, after }) => [before.id, after.id]);
  assert.is(new Set(ids).size, ids.length);
  for (const { attribute, before, after } of pairs) {
    assert.equal(Object.keys(before.labels!), Object.keys(after.labels!));
    const changed = Object.keys(before.labels!).filter((name) => before.labels![name] !== after.labels![name]);
    assert.equal(changed, [attribute]);
  }
  // More pairs are the same ones and others, and another seed gives others.
  const more = await image.attributePairs!(3);
  assert.equal(more[3]!.before, pairs[2]!.before);
});

test('image-world: class and embedding come from the attributes', async () => {
  const [first] = await image.corpus('test', 1);
  const item = { ...first!, labels: { kind: 'shapes', shape: 'ring', colour: 'red', background: 'navy' } };
  const classOf = (id: string): string | undefined => {
    const task = image.zeroShot!.find((zeroShot) => zeroShot.id === id)!;
    return task.classes[task.classOf(item)!]?.label;
  };
  assert.equal([classOf('shape'), classOf('colour'), classOf('texture')], ['ring', 'red', undefined]);
  const { data, dim } = await image.embed!([item, { id: 'foreign' }]);
  assert.ok(Math.abs(data.subarray(0, dim).reduce((sum, v) => sum + v * v, 0) - 1) < 1e-6);
  assert.is(
    data.subarray(dim).every((v) => v === 0),
    true,
  );
});

test('text-world: the embedding of two texts is as close as what they share', async () => {
  const span = (concept: string) => ({ start: 0, end: 1, concept });
  const item = (id: string, topic: string, ...concepts: string[]): Item => ({
    id,
    text: '',
    labels: { topic },
    spans: concepts.map(span),
  });
  const { data, dim } = await text.embed!([
    item('a', 'moon', 'joy', 'joy'),
    item('b', 'moon'),
    item('c', 'city', 'joy'),
  ]);
  const dot = (a: number, b: number) =>
    data.slice(a * dim, (a + 1) * dim).reduce((s, v, i) => s + v * data[b * dim + i]!, 0);
  assert.ok(Math.abs(dot(0, 0) - 1) < 1e-6 && Math.abs(dot(0, 1) - Math.SQRT1_2) < 1e-6);
  assert.ok(Math.abs(dot(0, 2) - 0.5) < 1e-6);
  assert.is(dot(1, 2), 0);
});

test.run();
