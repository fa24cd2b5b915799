/** @file The best matching against all matchings, and against SciPy's. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { bestAssignment } from './assignment.ts';

const test = suite('assignment');

interface GoldenAssignment {
  rows: number;
  cols: number;
  kind: string;
  scores: number[];
  columns: number[];
  sum: number;
}
const { assignments } = JSON.parse(
  readFileSync(new URL('../testdata/recovery.golden.json', import.meta.url), 'utf8'),
) as { assignments: GoldenAssignment[] };

/** The sum of a matching, each column at most once and as many pairs as there can be. */
function sumOf(scores: ArrayLike<number>, rows: number, cols: number, columns: Int32Array): number {
  const used = [...columns].filter((column) => column >= 0);
  assert.is(used.length, Math.min(rows, cols));
  assert.is(new Set(used).size, used.length);
  return columns.reduce((sum, column, row) => (column < 0 ? sum : sum + scores[row * cols + column]!), 0);
}

/** The greatest sum by trying all. */
function bruteForce(scores: ArrayLike<number>, rows: number, cols: number): number {
  let best = -Infinity;
  const used = new Set<number>();
  function place(row: number, left: number, sum: number): void {
    if (left === 0) best = Math.max(best, sum);
    if (left === 0 || row === rows) return;
    if (rows - row > left) place(row + 1, left, sum);
    for (let col = 0; col < cols; col++) {
      if (used.has(col)) continue;
      used.add(col);
      place(row + 1, left - 1, sum + scores[row * cols + col]!);
      used.delete(col);
    }
  }
  place(0, Math.min(rows, cols), 0);
  return best;
}

test('by hand: the greedy first choice is not the best', () => {
  assert.equal([...bestAssignment([9, 8, 8, 1], 2, 2)], [1, 0]);
  assert.equal([...bestAssignment([1, 5, 4], 3, 1)], [-1, 0, -1]);
  assert.equal([...bestAssignment([1, 5, 4], 1, 3)], [1]);
});

test('as all matchings tried one by one: square, wide, tall, with ties, negative', () => {
  const rng = createRng(0).fork('assignment');
  for (let round = 0; round < 300; round++) {
    const [rows, cols] = [1 + rng.int(6), 1 + rng.int(6)];
    const scores = Float64Array.from({ length: rows * cols }, () => (round % 2 === 0 ? rng.int(4) - 1 : rng.normal()));
    const sum = sumOf(scores, rows, cols, bestAssignment(scores, rows, cols));
    assert.ok(Math.abs(sum - bruteForce(scores, rows, cols)) < 1e-12, `${rows} × ${cols}: ${[...scores]}`);
  }
});

test('as scipy.optimize.linear_sum_assignment', () => {
  for (const { rows, cols, kind, scores, columns, sum } of assignments) {
    const found = bestAssignment(scores, rows, cols);
    if (kind === 'plain') assert.equal([...found], columns);
    assert.ok(Math.abs(sumOf(scores, rows, cols, found) - sum) < 1e-9, `${rows} × ${cols} ${kind}`);
  }
});

test('a shift of a row and an order of rows change nothing; 300 × 400 is a matter of moments', () => {
  const rng = createRng(1);
  const [rows, cols] = [300, 400];
  const scores = Float64Array.from({ length: rows * cols }, () => rng.uniform());
  const columns = bestAssignment(scores, rows, cols);
  const shifted = scores.map((value, at) => value + Math.floor(at / cols));
  assert.equal(bestAssignment(shifted, rows, cols), columns);
  const reversed = scores.map((_, at) => scores[(rows - 1 - Math.floor(at / cols)) * cols + (at % cols)]!);
  assert.equal(bestAssignment(reversed, rows, cols).reverse(), columns);
});

test('refuses what is no matrix, and numbers that are none', () => {
  assert.throws(() => bestAssignment([1, 2, 3], 2, 2), RangeError);
  assert.throws(() => bestAssignment([1, Number.NaN, 1, 1], 2, 2), /score 1 is NaN/);
  assert.throws(() => bestAssignment([1, Infinity, 1, 1], 2, 2), RangeError);
  assert.equal([...bestAssignment([], 0, 5)], []);
});

test.run();
