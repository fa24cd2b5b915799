/** @file The choice of a factor: ties, ends of the grid, what is tried beyond it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { atEnd, bestPlace, nextFactor, searchFactors } from './factor-search.ts';

const test = suite('tasks/steering/factor-search');
const trials = (...pairs: [number, number][]) => pairs.map(([factor, score]) => ({ factor, score }));
const near = (actual: number | undefined, expected: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-12, `${actual}`);

test('of equal scores the middle one is taken, the lower of two', () => {
  assert.is(bestPlace([1, 3, 2]), 1);
  assert.is(bestPlace([0, 0, 0, 0]), 1);
  assert.is(bestPlace([1, 2, 2, 2]), 2);
  assert.is(bestPlace([2, 1, 2]), 0);
});

test('beyond an end by the ratio to its neighbour, at most 2; not from within, nor where nothing tells factors apart', () => {
  near(nextFactor(trials([0.4, 1], [0.8, 0.5], [1.2, 0])), 0.2);
  near(nextFactor(trials([0.4, 0], [1, 0.5], [1.5, 1])), 2.25);
  near(nextFactor(trials([0.25, 0], [1, 0.5])), 2);
  near(nextFactor(trials([0.25, 1], [1, 0.5])), 0.125);
  assert.is(nextFactor(trials([0.4, 0], [0.8, 1], [1.2, 0])), undefined);
  assert.is(nextFactor(trials([0.4, 0], [0.8, 0], [1.2, 0])), undefined);
  assert.is(nextFactor(trials([0, 1], [1, 0])), undefined, 'no ratio to 0');
  assert.equal(
    [atEnd(trials([1, 1])), atEnd(trials([1, 0], [2, 0])), atEnd(trials([1, 1], [2, 0]))],
    [false, false, true],
  );
});

/** Searches for each peak: a score that falls with the distance from it in ratio. */
async function search(peaks: number[], grid: number[], steps: number) {
  const asked: string[][] = [];
  const found = await searchFactors(
    peaks.length,
    grid,
    steps,
    async (wanted) => {
      asked.push(wanted.map(({ entry, factor }) => `${entry}:${Number(factor.toPrecision(3))}`));
      return wanted.map(({ entry, factor }) => ({ score: -Math.abs(Math.log(factor / peaks[entry]!)) }));
    },
    ({ score }) => score,
  );
  return { asked, found };
}

test('optima beyond the grid are found by a step or two, others cost nothing', async () => {
  const { asked, found } = await search([0.2, 0.7, 3.4, 50], [0.4, 0.8, 1.6], 2);
  assert.equal(asked.slice(1), [
    ['0:0.2', '2:3.2', '3:3.2'],
    ['0:0.1', '2:6.4', '3:6.4'],
  ]);
  const best = found.map((own) => own[bestPlace(own.map(({ score }) => score))]!.factor);
  assert.equal(
    best.map((factor) => Number(factor.toPrecision(3))),
    [0.2, 0.8, 3.2, 6.4],
  );
  assert.equal(found.map(atEnd), [false, false, false, true], 'the last is still rising, and says so');
  assert.equal(
    found[0]!.map(({ factor }) => Number(factor.toPrecision(3))),
    [0.1, 0.2, 0.4, 0.8, 1.6],
  );
});

test('no further steps where none are asked for; a grid need not rise', async () => {
  const { asked, found } = await search([9], [1.6, 0.4, 0.8], 0);
  assert.is(asked.length, 1);
  assert.equal(
    found[0]!.map(({ factor }) => factor),
    [0.4, 0.8, 1.6],
  );
  assert.ok(atEnd(found[0]!));
});

test.run();
