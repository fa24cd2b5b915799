/** @file Two concepts at once: who is paired, what is added, and the gains of each beside those alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FittedMethod } from '../../../harness/contract.ts';
import { initBackend } from '../../../harness/num/backend.ts';
import { axis, near, prefGain, steerPairs, twoConcepts } from '../../../harness/testing/word-pairs.ts';
import { added, combinationCells, inTwos } from './combinations.ts';

const test = suite('tasks/steering/likelihood/combinations');
test.before(async () => {
  await initBackend('wasm');
});

test('neighbours in twos, none twice, as many as are asked for', () => {
  assert.equal(inTwos(['a', 'b', 'c', 'd', 'e'], 4), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
  assert.equal(inTwos(['a', 'b', 'c', 'd'], 1), [['a', 'b']]);
  assert.equal([inTwos(['a'], 4), inTwos([], 4), inTwos(['a', 'b'], 0)], [[], [], []]);
});

test('vectors are added as they would be one after the other', () => {
  const at = { from: 2, to: Number.POSITIVE_INFINITY, generated: true };
  const one = { kind: 'add' as const, vector: Float32Array.of(1, 2), strength: 3, at };
  const sum = added([one, { kind: 'add', vector: Float32Array.of(0, -1), strength: 2, at }]);
  assert.equal([...sum.vector, sum.strength, sum.at], [3, 4, 1, at]);
  assert.throws(() => added([{ ...one, kind: 'clamp' }]), /not added/);
});

test('cells by hand; what is no number is missing, not 0', () => {
  const pair = (both: [number, number], alone: [number, number]) => ({
    concepts: ['a', 'b'] as [string, string],
    both,
    alone,
  });
  const all = [pair([0.5, 0.1], [0.6, 0.4]), pair([0.4, -0.2], [0.4, 0.2])];
  const cells = combinationCells(all, { goal: 'promote', least: 0.1 }, '');
  near(cells['both_gain']!.value, (0.3 + 0.1) / 2);
  near(cells['both_lost']!.value, (0.2 + 0.2) / 2);
  assert.equal([cells['both_hold']!.value, cells['both_hold']!.n], [0.5, 2]);
  const against = combinationCells(all, { goal: 'suppress', least: 0.1 }, '');
  near(against['both_gain']!.value, -0.2);
  assert.is(against['both_hold']!.value, 0);
  const none = combinationCells([], { goal: 'promote', least: 0.1 }, 'one concept alone');
  assert.equal([none['both_gain']!.value, none['both_gain']!.reason], [null, 'one concept alone']);
  const broken = combinationCells([pair([Number.NaN, 1], [1, 1])], { goal: 'promote', least: 0 }, '');
  assert.equal([broken['both_gain']!.value, broken['both_gain']!.reason], [null, 'a gain is no number']);
});

test('of a model whose losses can be worked out: the second vector adds to the first; alone or with one concept nothing is combined', async () => {
  const options = { factors: [0.5], extend: 0, bound: 100 };
  // Each adds 1 along the same axis: together they add 2.
  const [same, own] = await steerPairs([axis(3), changeless()], options, undefined, undefined, twoConcepts);
  const value = (name: string) => same!.rows[0]!.metrics[name]!.value;
  near(value('pref_gain'), prefGain(1));
  near(value('both_gain'), prefGain(2));
  near(value('both_lost'), prefGain(1) - prefGain(2));
  assert.is(value('both_hold'), Number(prefGain(2) >= 0.1));
  const [pair] = same!.details!['combinations'] as { concepts: string[] }[];
  assert.equal(pair!.concepts, ['c', 'd']);
  assert.match(own!.rows[0]!.metrics['both_gain']!.reason!, /vectors that are added/);
  const [single] = await steerPairs([axis(3)], options);
  assert.match(single!.rows[0]!.metrics['both_gain']!.reason!, /no two concepts/);
  const [off] = await steerPairs([axis(3)], { ...options, combinations: 0 }, undefined, undefined, twoConcepts);
  assert.is(off!.rows[0]!.metrics['both_gain']!.value, null);
});

/** Changes the subject in a way of its own. */
const changeless = (): FittedMethod => ({
  d_in: 5,
  sparse: false,
  detector: () => ({ intervene: () => ({ interventions: [] }) }),
  dispose: () => {},
});

test.run();
