/** @file The filter of positions: sinks that are measured, what is declared, and what stays as it is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ActivationSet, Site } from '../contract.ts';
import { rejection } from '../testing/failing.ts';
import { memorySet } from './activation-set.ts';
import { fewRowsHoldVariance, medianOf } from './norms.ts';
import { positionRule, SAMPLE_ITEMS, withKeep, withoutPositions } from './positions.ts';

const test = suite('activations/positions');

const site: Site = { name: 'blocks.0.hook_resid_post', d: 2, modality: 'text', kind: 'tokens' };

/** `items` items of `length` rows of two numbers; the row at (item, position) has the norm that `norm` says. */
function texts(items: number, length: number, norm: (item: number, position: number) => number): ActivationSet {
  const n = items * length;
  const at = (row: number) => norm(Math.floor(row / length), row % length);
  return memorySet(
    Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 0.6 : 0.8) * at(i >> 1)),
    2,
    {
      bounds: Uint32Array.from({ length: items + 1 }, (_, i) => i * length),
      positions: Uint32Array.from({ length: n }, (_, row) => row % length),
      tokenIds: Int32Array.from({ length: n }, (_, row) => row % length),
      policy: 'special tokens excluded',
    },
  );
}

const usual = (item: number, position: number) => 10 + ((item + position) % 3);
const sink = (item: number, position: number) => (position === 0 ? 900 : usual(item, position));
const kept = (set: ActivationSet) => [...set.keep].reduce((sum, flag) => sum + flag, 0);

test('a model without sinks: no rule, and so the same rows', async () => {
  assert.is(await positionRule({}, site, texts(80, 10, usual)), undefined);
  // A first position of twice the norm is no sink.
  const twice = (item: number, position: number) => (position === 0 ? 2 : 1) * usual(item, position);
  assert.is(await positionRule({}, site, texts(80, 10, twice)), undefined);
});

test('a sink at the first position is measured, the same for every number of items from the sample on', async () => {
  const rules = [];
  for (const items of [SAMPLE_ITEMS, 80, 500]) rules.push(await positionRule({}, site, texts(items, 10, sink)));
  assert.equal(rules[0], {
    first: 1,
    tokens: [],
    measured: true,
    description: 'the first position of every item (measured: median norm 900 against 11 of all)',
  });
  assert.equal(rules[1], rules[0]);
  assert.equal(rules[2], rules[0]);
  const set = texts(80, 10, sink);
  const { set: filtered, spared } = await withoutPositions(set, rules[0]!);
  assert.is(spared, 0);
  assert.is(kept(filtered), 80 * 9);
  assert.is(filtered.unfiltered, set.keep);
  assert.is(kept(set), 800, 'the set itself is as it was');
  assert.is(
    filtered.policy,
    'special tokens excluded; left out: the first position of every item (measured: median norm 900 against 11 of all)',
  );
  for await (const { rows } of filtered.shuffled(240, 0)) {
    assert.not([...rows].some((row) => row % 10 === 0));
    break;
  }
});

test('rows far above the median anywhere else have a norm as their limit; beyond four leading positions nothing is a class', async () => {
  const comma = (item: number, position: number) => (position === 6 && item % 20 === 0 ? 500 : sink(item, position));
  const rule = await positionRule({}, site, texts(80, 10, comma));
  assert.is(rule!.first, 1);
  assert.is(rule!.maxNorm, 10);
  assert.ok(Math.abs(rule!.norm! - 110) < 1e-4);
  assert.match(rule!.description, /rows of a norm above 10 times the median, 11 \(measured: 4 of 640 sampled ones\)$/);
  assert.is(kept((await withoutPositions(texts(80, 10, comma), rule!)).set), 80 * 9 - 4);
});

test('a prefix of sinks: all up to the last of them', async () => {
  const prefix = (item: number, position: number) => (position === 2 ? 900 : usual(item, position));
  assert.is((await positionRule({}, site, texts(80, 10, prefix)))!.first, 3);
});

test('what is declared takes the place of measuring', async () => {
  const set = texts(80, 10, sink);
  assert.is(await positionRule({ sinks: 'keep' }, site, set), undefined);
  assert.is(await positionRule({ first: 0 }, site, set), undefined);
  const first = await positionRule({ first: 3 }, site, set);
  assert.equal(first, { first: 3, tokens: [], measured: false, description: 'the first 3 positions of every item' });
  assert.is(kept((await withoutPositions(set, first!)).set), 80 * 7);
  const norm = await positionRule({ maxNorm: 20 }, site, set);
  assert.ok(Math.abs(norm!.norm! - 220) < 1e-4);
  assert.is(kept((await withoutPositions(set, norm!)).set), 80 * 9);
});

test('own tokens: ids, and texts of one token, beside what is measured', async () => {
  const set = texts(80, 10, sink);
  const tokenizer = { encode: (text: string) => ({ ids: [...text].map(() => 7), offsets: [] }) };
  const rule = await positionRule({ tokens: [3, 'a', 3] }, site, set, tokenizer);
  assert.equal([rule!.first, rule!.tokens, rule!.measured], [1, [3, 7], true]);
  assert.is(kept((await withoutPositions(set, rule!)).set), 80 * 7);
  const declared = await positionRule({ tokens: [3], sinks: 'keep' }, site, set);
  assert.equal([declared!.first, declared!.measured], [0, false]);
  const two = await rejection(positionRule({ tokens: ['ab'] }, site, set, tokenizer));
  assert.match(two.message, /expected ids or texts of one token each; "ab" has 2 tokens \[7, 7\]/);
  const none = await rejection(positionRule({ tokens: ['a'] }, site, set));
  assert.match(none.message, /"a" has no tokenizer that reads it; give its id/);
  const without = await rejection(positionRule({ tokens: [3] }, site, memorySet(new Float32Array(8), 2)));
  assert.match(without.message, /expected rows with token ids/);
});

test('pooled sites have no positions, images no sinks that are measured', async () => {
  const set = texts(80, 10, sink);
  assert.is(await positionRule({ first: 1 }, { ...site, kind: 'pooled' }, set), undefined);
  assert.is(await positionRule({}, { ...site, modality: 'image' }, set), undefined);
  assert.is((await positionRule({ first: 1 }, { ...site, modality: 'image' }, set))!.first, 1);
});

test('labelled items of left-out positions alone keep their last one, others lose all', async () => {
  const set = texts(4, 1, usual);
  const rule = (await positionRule({ first: 1 }, site, set))!;
  assert.is(kept((await withoutPositions(set, rule)).set), 0);
  const { set: spared, spared: count } = await withoutPositions(set, rule, { spare: true });
  assert.equal([kept(spared), count], [4, 4]);
});

test('another site takes over which rows count', async () => {
  const [own, other] = [texts(4, 3, usual), texts(4, 3, sink)];
  const { set } = await withoutPositions(own, (await positionRule({ first: 1 }, site, own))!);
  const like = withKeep(other, set.keep, set.policy);
  assert.equal(like.keep, set.keep);
  assert.equal(await like.read(0, 2), await other.read(0, 2));
  for await (const { x, rows } of like.shuffled(8, 0)) {
    assert.not([...rows].some((row) => row % 3 === 0));
    assert.ok(x.every((value) => value < 20));
    break;
  }
});

test('few rows that hold the variance are told, all others not', async () => {
  assert.is(await fewRowsHoldVariance(texts(80, 10, usual)), undefined);
  const one = (item: number, position: number) => (item % 20 === 0 && position === 0 ? 9000 : usual(item, position));
  assert.match(
    (await fewRowsHoldVariance(texts(80, 10, one)))!,
    /^8 of 800 training rows \(1 %\) hold 100 % of the variance/,
  );
  // A tenth of the rows is not few: what the filter is for is told by it.
  assert.is(await fewRowsHoldVariance(texts(80, 10, sink)), undefined);
  assert.is(await fewRowsHoldVariance(texts(10, 10, one)), undefined, 'a hundred rows have no hundredth');
});

test('the median', () => {
  assert.is(medianOf([3, 1, 2]), 2);
  assert.is(medianOf([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(medianOf([])));
});

test.run();
