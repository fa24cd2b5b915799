/** @file The choice of a factor under a bound: what may be chosen, and where the search goes on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { searchFactors, type Trial } from '../factor-search.ts';
import { allowed, bestAllowed, boundedScore, known, nextUnderBound } from './bound.ts';

const test = suite('tasks/steering/likelihood/bound');

const trial = (factor: number, gain: number, loss: number): Trial => ({
  factor,
  score: boundedScore(gain, loss, 0.25),
});

test('within the bound the gain ranks; beyond it nothing is chosen, however much is gained', () => {
  const trials = [trial(1, 0.2, 0.1), trial(2, 0.5, 0.25), trial(4, 1e9, 0.26)];
  assert.equal(trials.map(allowed), [true, true, false]);
  assert.is(bestAllowed(trials)!.factor, 2);
  assert.is(bestAllowed([trial(4, 3, 1)]), undefined);
  assert.is(bestAllowed([]), undefined);
  // A factor that harms is still better than one that breaks the bound.
  assert.is(bestAllowed([trial(1, -0.4, 0), trial(2, 3, 9)])!.factor, 1);
});

test('an unknown gain or utility is not chosen, and is told from what breaks the bound', () => {
  for (const [gain, loss] of [
    [1, undefined],
    [Number.NaN, 0],
    [1, Infinity],
  ] as const) {
    const found = { factor: 1, score: boundedScore(gain, loss, 0.25) };
    assert.equal([allowed(found), known(found)], [false, false]);
  }
  for (const loss of [0.3, 1e300]) assert.equal([allowed(trial(1, 1, loss)), known(trial(1, 1, loss))], [false, true]);
});

test('the search halves the way to what breaks the bound, goes below where all do, beyond where none does', () => {
  assert.is(nextUnderBound([trial(1, 0.2, 0), trial(4, 3, 1)]), 2);
  assert.is(nextUnderBound([trial(1, 3, 1), trial(4, 3, 9)]), 0.5);
  assert.is(nextUnderBound([trial(1, 0.2, 0), trial(2, 0.4, 0)]), 4);
  assert.is(nextUnderBound([trial(1, 0.4, 0), trial(2, 0.2, 0)]), 0.5);
  assert.is(nextUnderBound([trial(1, 0.2, 0), trial(2, 0.4, 0), trial(4, 0.3, 0)]), undefined);
  assert.is(nextUnderBound([trial(1, 0.2, 0), trial(1.04, 3, 1)]), undefined, 'no closer than that');
  assert.is(nextUnderBound([]), undefined);
});

test('a method whose cost grows with its factor ends at the bound, wherever the grid lies', async () => {
  for (const grid of [
    [0.25, 0.5, 1, 2],
    [0.3, 0.9, 2.7],
    [5, 10],
  ]) {
    const measure = async (wanted: { factor: number }[]) => wanted.map(({ factor }) => factor);
    const score = (factor: number) => boundedScore(factor, 0.1 * factor, 0.25);
    const [trials] = await searchFactors(1, grid, 8, measure, score, nextUnderBound);
    const { factor } = bestAllowed(trials!)!;
    assert.ok(factor <= 2.5 && factor > 2.5 / 1.15, `${grid}: ${factor}`);
  }
});

test.run();
