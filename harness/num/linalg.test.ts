/** @file Eigenvectors, Cholesky and covariance on matrices with known answers and by their defining equations. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from './allclose.ts';
import { cholesky, choleskySolve, covariance, symmetricEigen } from './linalg.ts';
import { createRng } from './rng.ts';

const test = suite('linalg');
const rng = createRng('linalg');

/** A random symmetric matrix; `rank` below n makes the rest of the eigenvalues 0. */
function gram(n: number, rank: number): Float64Array {
  const factor = Float64Array.from({ length: rank * n }, rng.normal);
  const out = new Float64Array(n * n);
  for (let r = 0; r < rank; r++) {
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j]! += factor[r * n + i]! * factor[r * n + j]!;
  }
  return out;
}

function checkEigen(matrix: Float64Array, n: number): void {
  const { values, vectors } = symmetricEigen(matrix, n);
  const scale = Math.max(1, ...values.map(Math.abs));
  for (let a = 0; a < n; a++) {
    const v = vectors.subarray(a * n, (a + 1) * n);
    if (a > 0) assert.ok(values[a]! <= values[a - 1]!);
    for (let i = 0; i < n; i++) {
      let image = 0;
      for (let j = 0; j < n; j++) image += matrix[i * n + j]! * v[j]!;
      assert.ok(Math.abs(image - values[a]! * v[i]!) < 1e-11 * scale * n, `A v = λ v for eigenvalue ${a}`);
    }
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let j = 0; j < n; j++) dot += v[j]! * vectors[b * n + j]!;
      assert.ok(Math.abs(dot - (a === b ? 1 : 0)) < 1e-11 * n, `vectors ${a} and ${b} are orthonormal`);
    }
  }
}

test('eigenvectors of a 2 by 2 matrix by hand', () => {
  const { values, vectors } = symmetricEigen([2, 1, 1, 2], 2);
  allclose(values, [3, 1]);
  const h = Math.SQRT1_2;
  allclose(vectors.subarray(0, 2), [h, h]);
  allclose(Array.from(vectors.subarray(2), Math.abs), [h, h]);
});

test('eigenvectors satisfy their equation: random, rank-deficient, diagonal, repeated, zero, sizes 1 to 60', () => {
  for (const n of [1, 2, 3, 7, 20, 60]) checkEigen(gram(n, n), n);
  checkEigen(gram(12, 4), 12);
  checkEigen(
    Float64Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? [5, -1, 5, 0, 2][i / 6]! : 0)),
    5,
  );
  checkEigen(
    Float64Array.from({ length: 16 }, () => 1),
    4,
  );
  checkEigen(new Float64Array(9), 3);
  checkEigen(
    gram(8, 8).map((value) => value * 1e-20),
    8,
  );
});

test('a matrix with a NaN is refused instead of looping', () => {
  assert.throws(() => symmetricEigen([1, Number.NaN, Number.NaN, 1], 2), /no convergence/);
  assert.throws(() => symmetricEigen([1, 2, 3], 2), /not \[2, 2\]/);
});

test('cholesky by hand, and solves a random system', () => {
  allclose(cholesky([4, 2, 2, 5], 2), [2, 0, 1, 2]);
  const n = 15;
  const A = gram(n, 2 * n);
  const x = Float64Array.from({ length: n }, rng.normal);
  const b = x.map((_, i) => x.reduce((sum, value, j) => sum + A[i * n + j]! * value, 0));
  allclose(choleskySolve(cholesky(A, n), b), x, { rtol: 1e-8, atol: 1e-9 });
  assert.throws(() => cholesky([1, 2, 2, 1], 2), /not positive definite at row 1/);
});

test('covariance by hand', () => {
  const { mean, covariance: c } = covariance(Float32Array.of(1, 2, 3, 6, 5, 4), 2);
  allclose(mean, [3, 4]);
  allclose(c, [4, 2, 2, 4]);
  assert.throws(() => covariance(Float32Array.of(1, 2), 2), /2 or more rows/);
});

test.run();
