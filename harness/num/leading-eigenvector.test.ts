import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { leadingEigenvector } from './leading-eigenvector.ts';
import { symmetricEigen } from './linalg.ts';
import { createRng } from './rng.ts';

const test = suite('num/leading-eigenvector');

/** Σ over `rank` random vectors of v·vᵀ, [n, n]. */
function gram(n: number, rank: number, seed: number): Float64Array {
  const rng = createRng(seed);
  const out = new Float64Array(n * n);
  for (let r = 0; r < rank; r++) {
    const v = Array.from({ length: n }, () => rng.normal());
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j]! += v[i]! * v[j]!;
  }
  return out;
}

test('is what the whole decomposition gives first', () => {
  for (const [n, rank] of [
    [1, 1],
    [2, 5],
    [7, 3],
    [40, 200],
    [90, 4],
  ] as const) {
    const matrix = gram(n, rank, n);
    const { values, vectors } = symmetricEigen(matrix, n);
    const { value, vector } = leadingEigenvector(matrix, n);
    assert.ok(Math.abs(value / values[0]! - 1) < 1e-10, `${n}: ${value} ${values[0]}`);
    const off = vector.reduce((most, each, i) => Math.max(most, Math.abs(each - vectors[i]!)), 0);
    assert.ok(off < 1e-8, `${n}: ${off}`);
  }
});

test('nothing at all has the value 0, and a wrong size is refused', () => {
  assert.is(leadingEigenvector(new Float64Array(9), 3).value, 0);
  assert.throws(() => leadingEigenvector([1, 2, 3], 2), /3 values are not \[2, 2\]/);
});

test.run();
