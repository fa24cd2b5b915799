/** @file Dense linear algebra in float64 that tfjs lacks: covariance, symmetric eigenvectors, Cholesky. */
import { statisticsKernels } from './kernels/statistics.ts';

/** Eigenvalues, descending, and their unit eigenvectors. */
export interface Eigen {
  /** [n] */
  values: Float64Array;
  /** [n, n] row-major: row i is the eigenvector of values[i]. */
  vectors: Float64Array;
}

/** The lower triangle of Σ (x − mean)(x − mean)ᵀ over the rows of `x`. */
function outerSums(x: Float32Array, mean: Float64Array): Float64Array {
  const d = mean.length;
  const n = x.length / d;
  const sums = new Float64Array(d * d);
  // Four rows at a time (zeros after the last): a quarter of the traffic to and from the sums.
  const rows = new Float64Array(4 * d);
  for (let i = 0; i < n; i += 4) {
    const count = Math.min(4, n - i);
    rows.fill(0);
    for (let r = 0; r < count; r++) for (let c = 0; c < d; c++) rows[r * d + c] = x[(i + r) * d + c]! - mean[c]!;
    for (let a = 0; a < d; a++) {
      const [first, second, third, fourth] = [rows[a]!, rows[d + a]!, rows[2 * d + a]!, rows[3 * d + a]!];
      for (let b = 0, at = a * d; b <= a; b++, at++) {
        sums[at]! += first * rows[b]! + second * rows[d + b]! + third * rows[2 * d + b]! + fourth * rows[3 * d + b]!;
      }
    }
  }
  return sums;
}

/** Mean [d] and covariance [d, d] (divisor n - 1) of the rows of `x` [n, d]. */
export function covariance(x: Float32Array, d: number): { mean: Float64Array; covariance: Float64Array } {
  const n = x.length / d;
  if (!Number.isInteger(n) || n < 2)
    throw new RangeError(`covariance: ${x.length} values are not 2 or more rows of ${d}`);
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let c = 0, at = i * d; c < d; c++, at++) mean[c]! += x[at]! / n;
  const sums = statisticsKernels ? statisticsKernels.outerSums(x, mean) : outerSums(x, mean);
  for (let a = 0; a < d; a++) {
    for (let b = 0; b <= a; b++) {
      sums[a * d + b]! /= n - 1;
      sums[b * d + a] = sums[a * d + b]!;
    }
  }
  return { mean, covariance: sums };
}

/**
 * Householder reduction of the symmetric matrix in `z` to tridiagonal form: `d` the diagonal, `e` the subdiagonal (from
 * index 1), `z` the transformation with columns as in EISPACK's tred2.
 */
function tridiagonalise(z: Float64Array, n: number, d: Float64Array, e: Float64Array): void {
  for (let i = n - 1; i > 0; i--) {
    let h = 0;
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(z[i * n + k]!);
    if (i === 1 || scale === 0) {
      e[i] = z[i * n + i - 1]!;
      d[i] = 0;
      continue;
    }
    for (let k = 0; k < i; k++) {
      z[i * n + k]! /= scale;
      h += z[i * n + k]! ** 2;
    }
    const f = z[i * n + i - 1]!;
    const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
    e[i] = scale * g;
    h -= f * g;
    z[i * n + i - 1] = f - g;
    let total = 0;
    for (let j = 0; j < i; j++) {
      z[j * n + i] = z[i * n + j]! / h;
      let sum = 0;
      for (let k = 0; k <= j; k++) sum += z[j * n + k]! * z[i * n + k]!;
      for (let k = j + 1; k < i; k++) sum += z[k * n + j]! * z[i * n + k]!;
      e[j] = sum / h;
      total += e[j]! * z[i * n + j]!;
    }
    const half = total / (h + h);
    for (let j = 0; j < i; j++) {
      const fj = z[i * n + j]!;
      const gj = e[j]! - half * fj;
      e[j] = gj;
      for (let k = 0; k <= j; k++) z[j * n + k]! -= fj * e[k]! + gj * z[i * n + k]!;
    }
    d[i] = h;
  }
  d[0] = 0;
  e[0] = 0;
  for (let i = 0; i < n; i++) {
    if (d[i] !== 0) {
      for (let j = 0; j < i; j++) {
        let g = 0;
        for (let k = 0; k < i; k++) g += z[i * n + k]! * z[k * n + j]!;
        for (let k = 0; k < i; k++) z[k * n + j]! -= g * z[k * n + i]!;
      }
    }
    d[i] = z[i * n + i]!;
    z[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      z[j * n + i] = 0;
      z[i * n + j] = 0;
    }
  }
}

/** Implicit QL on the tridiagonal (d, e); rotates the rows of `vectors` along (one row for each eigenvector). */
function diagonalise(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number): void {
  for (let i = 1; i < n; i++) e[i - 1] = e[i]!;
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let iteration = 0; ; iteration++) {
      let m = l;
      while (m < n - 1) {
        const size = Math.abs(d[m]!) + Math.abs(d[m + 1]!);
        if (Math.abs(e[m]!) <= Number.EPSILON * size) break;
        m++;
      }
      if (m === l) break;
      if (iteration === 60) throw new Error('eigen: no convergence (is there a NaN in the matrix?)');
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        const [low, high] = [i * n, (i + 1) * n];
        for (let k = 0; k < n; k++) {
          const kept = vectors[high + k]!;
          vectors[high + k] = s * vectors[low + k]! + c * kept;
          vectors[low + k] = c * vectors[low + k]! - s * kept;
        }
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

/**
 * Eigen-decomposition of a symmetric matrix [n, n] (row-major; the lower triangle is read), by Householder reduction
 * and implicit QL (EISPACK tred2/tql2). Each vector's sign is fixed so that its largest component is positive.
 */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): Eigen {
  if (matrix.length !== n * n) throw new RangeError(`eigen: ${matrix.length} values are not [${n}, ${n}]`);
  const z = Float64Array.from(matrix);
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  tridiagonalise(z, n, d, e);
  // Rows instead of columns, so that each rotation walks two contiguous rows.
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) rows[j * n + i] = z[i * n + j]!;
  diagonalise(d, e, rows, n);
  const order = Array.from(d.keys()).sort((a, b) => d[b]! - d[a]! || a - b);
  const values = Float64Array.from(order, (i) => d[i]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    const row = rows.subarray(from * n, (from + 1) * n);
    const largest = row.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-12 ? value : best), 0);
    vectors.set(largest < 0 ? row.map((value) => -value) : row, to * n);
  });
  return { values, vectors };
}

/**
 * Lower-triangular L [n, n] with L Lᵀ = the symmetric positive definite `matrix` (lower triangle is read).
 *
 * @throws RangeError when the matrix is not positive definite
 */
export function cholesky(matrix: ArrayLike<number>, n: number): Float64Array {
  const L = new Float64Array(n * n);
  if (statisticsKernels) {
    const bad = statisticsKernels.cholesky(matrix instanceof Float64Array ? matrix : Float64Array.from(matrix), L);
    if (bad >= 0) throw new RangeError(`cholesky: not positive definite at row ${bad}`);
    return L;
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0, a = i * n, b = j * n; k < j; k++, a++, b++) sum -= L[a]! * L[b]!;
      if (i === j && !(sum > 0)) throw new RangeError(`cholesky: not positive definite at row ${i}`);
      L[i * n + j] = i === j ? Math.sqrt(sum) : sum / L[j * n + j]!;
    }
  }
  return L;
}

/** x with L Lᵀ x = b, for L from `cholesky`. */
export function choleskySolve(L: Float64Array, b: ArrayLike<number>): Float64Array {
  const n = b.length;
  const x = Float64Array.from(b);
  if (statisticsKernels) {
    statisticsKernels.choleskySolve(L, x);
    return x;
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= L[i * n + k]! * x[k]!;
    x[i]! /= L[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= L[k * n + i]! * x[k]!;
    x[i]! /= L[i * n + i]!;
  }
  return x;
}
