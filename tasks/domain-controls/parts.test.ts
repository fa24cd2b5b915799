/** @file The rules that texts are changed by, and the parts that need no method: exact cases by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet, Item } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { memoryActivations } from '../../harness/testing/activations.ts';
import { conceptSplits } from '../concept-detection/splits.ts';
import { aurocDifference, bagOfWordsScores } from './beyond.ts';
import { groupTests, partings } from './groups.ts';
import { relativesOf } from './hierarchy.ts';
import { ownWords, withoutWords } from './own-words.ts';
import { STATEMENTS, withStatement } from './statements.ts';
import { affordable, changeTexts, placesOfChanged } from './texts.ts';

const test = suite('tasks/domain-controls/parts');

const item = (text: string, more: Partial<Item> = {}): Item => ({ id: text, text, ...more });

test('own words: names whatever their white space, stems of their words, and no others', () => {
  const words = ownWords({ id: 'a', label: 'Heart failure', synonyms: ['HFrEF', 'C++ (grade 2)'] })!;
  const left = (text: string) => withoutWords(item(text), words).text;
  assert.is(left('Severe heart  failures, then HFREF.'), 'Severe , then .');
  assert.is(left('It failed; the hearts fail.'), 'It failed; the fail.', 'the stem of failure is failur');
  assert.is(left('a heartbreakingly long day, C++ (grade 2)'), 'a heartbreakingly long day, ');
  assert.is(left('unfailing'), 'unfailing', 'a stem begins a word');
  assert.equal(withoutWords(item('Q heart\nheart', { responseStart: 8 }), words), { text: 'Q heart\n', removed: 1 });
  assert.is(ownWords({ id: 'b', label: 'of 80' })!.test('of 8 and 0'), false);
  assert.is(ownWords({ id: 'b', label: ' ' }), undefined);
});

test('statements differ in their sentence alone, and stand where one sentence ends', () => {
  const base = item('First one. Second one. Third one.');
  const rng = createRng(3);
  for (const kind of ['affirmed', 'negated', 'family'] as const) {
    const text = withStatement(base, 'sepsis', kind, rng);
    const number = STATEMENTS[kind].findIndex((form) => text.includes(form.replace('#', 'sepsis')));
    assert.ok(number >= 0, text);
    assert.is(text.replace(`${STATEMENTS[kind][number]!.replace('#', 'sepsis')} `, ''), base.text);
    assert.is(
      text.indexOf(STATEMENTS[kind][number]!.split('#')[0]!),
      withStatement(base, 'sepsis', 'affirmed', rng).indexOf(STATEMENTS.affirmed[number]!.split('#')[0]!),
      'the same place',
    );
  }
  assert.match(withStatement(item('only one'), 'sepsis', 'negated', rng), /^only one .*sepsis\.$/);
});

/** Two kinds of a parent, one of something else, and items of two years. */
const set: ConceptSet = {
  concepts: [
    { id: 'parent', label: 'infection', synonyms: ['infection'] },
    { id: 'child', label: 'sepsis', parent: 'parent' },
    { id: 'sibling', label: 'abscess', parent: 'parent', deniable: false },
  ],
  items: [
    ['sepsis today', ['parent', 'child']],
    ['abscess today', ['parent', 'sibling']],
    ['nothing here', []],
    ['calm day', []],
    ['sepsis again', ['parent', 'child']],
    ['abscess again', ['parent', 'sibling']],
    ['sepsis', ['parent', 'child']],
    ['quiet. still', []],
    ['fine. good', []],
  ].map(([text, concepts], i) =>
    item(text as string, { concepts: concepts as string[], covariates: { year: 2000 + i, site: i % 2 ? 'A' : 'B' } }),
  ),
  examples: [],
};
for (const [concept, { id }] of set.concepts.entries()) {
  for (const [place, { concepts }] of set.items.entries()) {
    const role = concepts!.includes(id) ? 'positive' : 'negative';
    set.examples.push({ concept, item: place, split: place < 4 ? 'train' : 'eval', role });
  }
}
const splits = conceptSplits(set, createRng(0), 0);

test('relatives: siblings that do not show the concept, children that did not train the parent', () => {
  const [parent, child] = relativesOf(set, splits);
  assert.equal([...child!.siblings], [5]);
  assert.equal(
    parent!.children.map(({ id, positives }) => [id, [...positives]]),
    [
      ['child', [4, 6]],
      ['sibling', [5]],
    ],
  );
  assert.equal([parent!.siblings.length, child!.children.length], [0, 0]);
});

test('an item of which nobody knows whether it shows a concept is no sibling and no extra negative of it', () => {
  const doubted = (place: number): ConceptSet => ({
    ...set,
    items: set.items.map((each, i) => (i === place ? { ...each, unknown: ['child'] } : each)),
    examples: set.examples.filter((each) => !(each.concept === 1 && each.item === place)),
  });
  const splitsOf = (own: ConceptSet) => conceptSplits(own, createRng(0), 99);
  const [sibling, negative] = [doubted(5), doubted(7)];
  assert.equal([...relativesOf(sibling, splitsOf(sibling))[1]!.siblings], []);
  const extra = (own: ConceptSet) => [...splitsOf(own)[1]!.extraNegatives];
  assert.equal(extra(negative), []);
  assert.equal(extra({ ...negative, items: set.items }), [7], 'it is a negative of the others');
});

test('changed texts: masked places for those that have the words alone, statements for what can be denied', () => {
  const changed = changeTexts(set, splits, { maskedTexts: 9, statementTexts: 2 }, createRng(0));
  const textOf = (place: number) => [...set.items, ...changed.items][place]!.text;
  const masked = changed.masked[1]!;
  // The item `sepsis` is nothing but the word, and is left out.
  assert.equal([...masked.positives], [4]);
  assert.is(textOf(masked.maskedPositives[0]!), 'again');
  assert.equal(masked.removed, [1, 0]);
  assert.equal([...masked.maskedNegatives], [...masked.negatives], 'without the words they stay as they are');
  assert.is(changed.masked[0], undefined, 'no positive says infection');
  assert.is(changed.stated[2], undefined, 'not to be denied');
  const { base, negated, other } = changed.stated[1]!;
  assert.is(base.length, 2);
  for (const place of negated)
    assert.match(textOf(place)!, /(?:no evidence of|not consistent with|not to have) sepsis\./);
  for (const place of other) assert.match(textOf(place)!, /infection\./);
  const wanted = placesOfChanged(changed, set.items.length);
  assert.equal(
    wanted.flatMap((each) => [...each]).sort((a, b) => a - b),
    changed.items.map((_, i) => set.items.length + i),
  );
});

test('fewer texts where they are long, two at least', () => {
  const of = (rows: number) =>
    affordable({ maskedTexts: 16, statementTexts: 6 }, splits, {
      ...memoryActivations(set.items.map(() => [[0]])),
      bounds: Uint32Array.from({ length: set.items.length + 1 }, (_, i) => i * rows),
      d_in: 1000,
    });
  assert.equal(of(100), { maskedTexts: 16, statementTexts: 6 });
  assert.equal(of(1000), { maskedTexts: 8, statementTexts: 3 });
  assert.equal(of(1e6), { maskedTexts: 2, statementTexts: 2 });
});

test('groups: numbers in halves, categories by value, each with four of both classes on both sides', () => {
  const items = Array.from({ length: 32 }, (_, i) =>
    item(`i${i}`, { covariates: { year: i, site: i % 2 ? 'A' : 'B' } }),
  );
  const examples = items.map((_, place) => ({
    ...{ concept: 0, item: place },
    split: place % 4 < 2 ? ('train' as const) : ('eval' as const),
    role: place % 8 < 4 ? ('positive' as const) : ('negative' as const),
  }));
  const ways = partings({ items, examples });
  assert.equal(
    ways.map(({ covariate, values }) => [covariate, values]),
    [
      ['site', ['A', 'B']],
      ['year', ['up to 15.5', 'above 15.5']],
    ],
  );
  const [split] = conceptSplits({ concepts: [{ id: 'c', label: 'c' }], items, examples }, createRng(0), 0);
  const tests = groupTests(items, split!, ways);
  assert.equal(
    tests.map(({ name, positives, negatives, others }) => [
      name,
      positives.length,
      negatives.length,
      others.items.length,
    ]),
    [
      ['site A', 4, 4, 8],
      ['site B', 4, 4, 8],
      ['year up to 15.5', 4, 4, 8],
      ['year above 15.5', 4, 4, 8],
    ],
  );
  for (const { others, name } of tests.slice(0, 1))
    assert.ok(
      [...others.items].every((i) => i % 2 === 0),
      name,
    );
});

test('beyond bag of words: DeLong by hand, groups count once, a copy differs by nothing', () => {
  const split = { ...splits[0]!, positives: Uint32Array.of(4, 5, 6), negatives: Uint32Array.of(7, 8) };
  const a = { positives: Float64Array.of(3, 2, 1), negatives: Float64Array.of(0, 1.5) };
  const b = { positives: Float64Array.of(3, 0, 1), negatives: Float64Array.of(2, 1.5) };
  const alone = [...set.items.keys()];
  const { value, ci95, p } = aurocDifference(split, a, b, alone);
  // Placements: a 1, 1, .5 and 1, 2/3; b 1, 0, 0 and 1/3, 1/3. Differences 0, 1, .5 and 2/3, 1/3.
  assert.ok(Math.abs(value - 0.5) < 1e-12);
  const se = Math.sqrt(0.25 / 3 + (1 / 6) ** 2);
  // Student's t of one degree of freedom, that of the smaller class: 12.706.
  assert.equal(ci95, [Math.max(-1, value - 12.706204736 * se), 1]);
  assert.ok(Math.abs(p - 2 * (0.5 - Math.atan(value / se) / Math.PI)) < 1e-9);
  const equal = aurocDifference(split, a, a, alone);
  // Two negatives: 1 − .025^(1/2) of the range to both sides.
  assert.ok(equal.p === 1 && Math.abs(equal.ci95![1] - (1 - Math.sqrt(0.025))) < 1e-12);
  const perfect = { positives: Float64Array.of(1, 1, 1), negatives: Float64Array.of(0, 0) };
  const silent = { positives: new Float64Array(3), negatives: new Float64Array(2) };
  const below = aurocDifference(split, silent, perfect, alone);
  assert.equal([below.value, below.p], [-0.5, 0.5], 'as two coins');
  const grouped = alone.map((i) => Math.min(i, 7));
  assert.is(aurocDifference(split, a, b, grouped).ci95, null, 'one group of negatives has no spread that is known');
  const words = bagOfWordsScores(set.items, splits[0]!);
  assert.ok(Math.min(...words.positives) > Math.max(...words.negatives));
});

test.run();
