/** @file The eigenvector of a symmetric matrix's largest eigenvalue, where all of them would cost too much. */
import { symmetricEigen } from './linalg.ts';
import { createRng } from './rng.ts';

/** ‖A·v − λ·v‖ relative to λ at which the vector is taken as found. */
const RESIDUAL = 1e-10;
/** Steps between looks at the residual. */
const LOOK = 8;

/**
 * Unit eigenvector [n] of the largest eigenvalue of the symmetric, positive semi-definite `matrix` [n, n], and that
 * eigenvalue: Lanczos with full reorthogonalisation from a fixed random start, up to n steps, at which it is exact. The sign
 * makes the largest component positive, as `symmetricEigen` does. A matrix of zeros has the value 0, and a vector of no meaning.
 */
export function leadingEigenvector(matrix: ArrayLike<number>, n: number): { value: number; vector: Float64Array } {
  if (matrix.length !== n * n)
    throw new RangeError(`leading eigenvector: ${matrix.length} values are not [${n}, ${n}]`);
  const rng = createRng('leading-eigenvector');
  const basis = [unit(Float64Array.from({ length: n }, () => rng.normal()))];
  const [diagonal, beside]: [number[], number[]] = [[], []];
  for (;;) {
    const at = basis.length - 1;
    const next = product(matrix, basis[at]!, n);
    diagonal.push(dot(next, basis[at]!));
    // Twice: once leaves what rounding makes of nearly parallel vectors.
    for (let round = 0; round < 2; round++) for (const vector of basis) subtract(next, vector, dot(next, vector));
    const rest = Math.sqrt(dot(next, next));
    const size = Math.max(...diagonal.map(Math.abs));
    const spent = basis.length === n || rest <= Number.EPSILON * n * size;
    if (spent || basis.length % LOOK === 0) {
      const found = largest(diagonal, beside);
      if (spent || rest * Math.abs(found.vector.at(-1)!) <= RESIDUAL * found.value) {
        return { value: found.value, vector: combined(basis, found.vector, n) };
      }
    }
    beside.push(rest);
    basis.push(next.map((value) => value / rest));
  }
}

/** The largest eigenvalue of a tridiagonal matrix, with its vector. */
function largest(diagonal: readonly number[], beside: readonly number[]): { value: number; vector: Float64Array } {
  const k = diagonal.length;
  const matrix = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    matrix[i * k + i] = diagonal[i]!;
    if (i > 0) {
      matrix[i * k + i - 1] = beside[i - 1]!;
      matrix[(i - 1) * k + i] = beside[i - 1]!;
    }
  }
  const { values, vectors } = symmetricEigen(matrix, k);
  return { value: values[0]!, vector: vectors.slice(0, k) };
}

function combined(basis: readonly Float64Array[], weights: Float64Array, n: number): Float64Array {
  const sum = new Float64Array(n);
  basis.forEach((vector, i) => {
    subtract(sum, vector, -weights[i]!);
  });
  const most = sum.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-12 ? value : best), 0);
  return unit(most < 0 ? sum.map((value) => -value) : sum);
}

function product(matrix: ArrayLike<number>, vector: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0, at = i * n; j < n; j++, at++) sum += matrix[at]! * vector[j]!;
    out[i] = sum;
  }
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** target − factor · vector, in place. */
function subtract(target: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! -= factor * vector[i]!;
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}
