/** @file Pairs of texts: alike in length, no text twice, halves that share nothing, and which tokens are scored. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet, Item, LanguageModel } from '../../../harness/contract.ts';
import { memoryActivations } from '../../../harness/testing/activations.ts';
import { AXBENCH_PAIRS } from '../../datasets/parts/axbench-concepts.ts';
import { textPairs } from './pairs.ts';
import { storedText, tokensOf } from './texts.ts';

const test = suite('tasks/steering/likelihood/pairs');

/** A token a word, after one special token; ids are lengths of words. */
const subject: Pick<LanguageModel, 'tokenizer'> = {
  tokenizer: {
    vocabSize: 99,
    specialIds: new Set([0]),
    encode(text) {
      const words = [...text.matchAll(/\S+/g)];
      const spans = words.map((match): [number, number] => [match.index, match.index + match[0].length]);
      return { ids: [0, ...words.map(([word]) => word.length)], offsets: [[0, 0], ...spans] };
    },
    decode: () => '',
  },
};

const stored = (items: readonly Item[], most = Infinity) => {
  const ids = items.map(({ text }) => subject.tokenizer.encode(text!).ids.slice(0, most));
  return memoryActivations(
    ids.map((own) => own.map(() => [0])),
    { tokenIds: ids },
  );
};
const words = (n: number, word = 'a') => Array(n).fill(word).join(' ');

test('of a text with a response that is scored, of another all but the first token', () => {
  const items = [
    { id: '0', text: words(9) },
    { id: '1', text: words(9), responseStart: 6 },
  ];
  const set = stored(items);
  assert.equal(storedText(subject, set, 0, items[0]!), { item: 0, prompt: 0, start: 1, end: 10 });
  assert.equal(storedText(subject, set, 1, items[1]!), { item: 1, prompt: 4, start: 4, end: 10 });
});

test('what was cut off before its response, or says too little, is no text; a closing token is not scored', () => {
  const item = { id: '0', text: words(12), responseStart: 12 };
  assert.is(storedText(subject, stored([item], 9), 0, item), undefined);
  assert.is(storedText(subject, stored([item]), 0, item)!.end, 13);
  const closed = memoryActivations([Array(8).fill([0])], { tokenIds: [[0, 1, 1, 1, 1, 1, 1, 0]] });
  assert.is(storedText(subject, closed, 0, { id: '0', text: words(6) })!.end, 7);
  assert.is(storedText(subject, stored([{ id: '0', text: words(3) }]), 0, { id: '0', text: words(3) }), undefined);
});

/** Two concepts; texts of the first are negatives of the second and the other way round. */
const lengths = [5, 9, 30, 12, 8, 6, 29, 11];
const items = lengths.map((n, i): Item => ({ id: `${i}`, text: words(n, 'b') }));
const example = (concept: number, item: number, role: 'positive' | 'negative') =>
  ({ concept, item, split: 'eval', role }) as const;
const set: ConceptSet = {
  concepts: [
    { id: 'a', label: 'a' },
    { id: 'b', label: 'b' },
  ],
  items,
  examples: [0, 1, 2, 3].flatMap((i) => [
    example(0, i, 'positive'),
    example(0, i + 4, 'negative'),
    example(1, i + 4, 'positive'),
    example(1, i, 'negative'),
  ]),
};

test('halves share no text, over all concepts; each text is used once a concept; a pair is as long as its shorter text', () => {
  const found = textPairs(subject, { set, activations: stored(items) }, undefined, [0, 1], { pairs: 8, tokens: 20 });
  const itemsOf = (half: 'selection' | 'reporting') =>
    found.map((concept) => concept[half].flatMap(({ positive, negative }) => [positive.item, negative.item]));
  const [selection, reporting] = [itemsOf('selection'), itemsOf('reporting')];
  assert.not.ok(selection.flat().some((item) => reporting.flat().includes(item)));
  for (const own of [...selection, ...reporting]) assert.is(new Set(own).size, own.length);
  const pairs = found.flatMap(({ selection, reporting }) => [...selection, ...reporting]);
  assert.is(pairs.length, 8);
  for (const { positive, negative } of pairs) {
    assert.is(tokensOf(positive), tokensOf(negative));
    assert.ok(tokensOf(positive) <= 20);
  }
  // The two long texts of a half find each other, cut to 20 tokens.
  assert.equal(
    found[0]!.reporting.map(({ positive }) => tokensOf(positive)),
    [20, 5],
  );
});

test('items of the same words are one text: in one half, used once, and no partner of itself', () => {
  const again = items.map((item, i): Item => ({ ...item, id: `again ${i}` }));
  const twice: ConceptSet = {
    ...set,
    items: [...items, ...again],
    examples: [
      ...set.examples,
      ...items
        .flatMap((_, i) => set.examples.filter(({ item }) => item === i))
        .map((each) => ({ ...each, item: each.item + 8 })),
      example(0, 8, 'negative'),
    ],
  };
  const options = { pairs: 16, tokens: 20 };
  const once = textPairs(subject, { set, activations: stored(items) }, undefined, [0, 1], options);
  assert.equal(textPairs(subject, { set: twice, activations: stored(twice.items) }, undefined, [0, 1], options), once);
});

test('halves are random ones: examples of two kinds in turn, or one kind after the other, are in both', () => {
  const kindOf = (i: number) => (i % 2 === 0 ? 'theme' : 'passing');
  const own = Array.from(
    { length: 48 },
    (_, i): Item => ({ id: `${i}`, text: `${words(8)} ${'b'.repeat((i % 24) + 1)}` }),
  );
  const textOf = (item: Item, i: number): Item => ({ ...item, text: `${i < 24 ? 'with' : 'no'} ${item.text}` });
  const given = own.map(textOf);
  for (const order of ['in turn', 'one after the other']) {
    const places = given.map((_, i) => i).slice(0, 24);
    if (order !== 'in turn') places.sort((a, b) => (a % 2) - (b % 2));
    const examples = [
      ...places.map((item) => example(0, item, 'positive')),
      ...places.map((item) => example(0, item + 24, 'negative')),
    ];
    const labelled = { set: { ...set, items: given, examples }, activations: stored(given) };
    const [found] = textPairs(subject, labelled, undefined, [0], { pairs: 24, tokens: 20 });
    for (const half of [found!.selection, found!.reporting]) {
      assert.is(half.length, 12);
      for (const role of ['positive', 'negative'] as const) {
        const themes = half.filter((pair) => kindOf(pair[role].item) === 'theme').length;
        assert.ok(themes >= 3 && themes <= 9, `${order}: ${themes} of 12 ${role}s are of one kind`);
      }
    }
  }
});

test('fewer pairs where that is asked for, none where there are no partners', () => {
  const labelled = { set, activations: stored(items) };
  const [first] = textPairs(subject, labelled, undefined, [0], { pairs: 3, tokens: 9 });
  assert.equal([first!.selection.length, first!.reporting.length], [2, 1]);
  const [none] = textPairs(subject, labelled, { description: '', partners: () => [] }, [0], { pairs: 8, tokens: 9 });
  assert.equal(none, { selection: [], reporting: [] });
});

test('AxBench: partners are held-out negatives of the genre of the positives, of every concept', () => {
  const genres = ['code', 'code', 'text', 'code', 'text', 'code'];
  const labelled: ConceptSet = {
    ...set,
    items: genres.map((genre, i) => ({ id: `${i}`, text: 'a', labels: { genre } })),
    examples: [
      example(0, 0, 'positive'),
      example(0, 1, 'negative'),
      example(0, 2, 'negative'),
      example(1, 3, 'negative'),
      example(1, 4, 'positive'),
      { concept: 0, item: 5, split: 'train', role: 'negative' },
    ],
  };
  assert.equal(AXBENCH_PAIRS.partners!(labelled, 0), [1, 3]);
  assert.equal(AXBENCH_PAIRS.partners!(labelled, 1), [2]);
});

test.run();
