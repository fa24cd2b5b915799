/** @file A matrix of features that linear models can be fitted on without knowing how it is stored. */
import type { Csr } from './csr.ts';
import { type StatisticsKernels, statisticsKernels } from './kernels/statistics.ts';

/** A matrix [rows, cols] that can be multiplied from both sides. */
export interface Features {
  rows: number;
  cols: number;
  /** `out` [rows] = X w. */
  times(w: Float64Array, out: Float64Array): void;
  /** `out` [cols] = Xᵀ r. */
  transposeTimes(r: Float64Array, out: Float64Array): void;
  /** `out` [cols] = Xᵀ r with r = weights ⊙ (X v + shift), in one pass over X; returns Σ r. */
  curvatureTimes(v: Float64Array, shift: number, weights: Float64Array, out: Float64Array): number;
}

/** Row-major dense features [rows, cols]. */
export function denseFeatures(x: Float32Array | Float64Array | number[], rows: number, cols: number): Features {
  if (x.length !== rows * cols) throw new RangeError(`features: ${x.length} values are not [${rows}, ${cols}]`);
  return statisticsKernels && x instanceof Float32Array
    ? kernelFeatures(statisticsKernels, x, rows, cols)
    : loopFeatures(x, rows, cols);
}

function kernelFeatures(kernels: StatisticsKernels, x: Float32Array, rows: number, cols: number): Features {
  const sums = new Float64Array(cols + 1);
  return {
    rows,
    cols,
    times: (w, out) => kernels.matrixTimes(x, w, out),
    transposeTimes: (r, out) => kernels.transposeTimes(x, r, out),
    curvatureTimes(v, shift, weights, out) {
      kernels.curvatureTimes(x, v, shift, weights, sums);
      out.set(sums.subarray(0, cols));
      return sums[cols]!;
    },
  };
}

/**
 * Without kernels. Four rows at a time: one row alone waits for its own sum at every step, and writes every column of a
 * product as often as there are rows.
 */
function loopFeatures(x: Float32Array | Float64Array | number[], rows: number, cols: number): Features {
  const whole = rows - (rows % 4);
  /** Calls `each` with X w of four rows (or the one left over), the number of the first row, and how many they are. */
  const product = (w: Float64Array, each: (first: number, a: number, b: number, c: number, d: number) => void) => {
    for (let i = 0; i < whole; i += 4) {
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let j = 0, at = i * cols; j < cols; j++, at++) {
        const weight = w[j]!;
        a += x[at]! * weight;
        b += x[at + cols]! * weight;
        c += x[at + 2 * cols]! * weight;
        d += x[at + 3 * cols]! * weight;
      }
      each(i, a, b, c, d);
    }
    for (let i = whole; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < cols; j++) sum += x[i * cols + j]! * w[j]!;
      each(i, sum, 0, 0, 0);
    }
  };
  /** Adds a·row i + … + d·row i + 3; of the rows left over row i alone. */
  const addRows = (i: number, a: number, b: number, c: number, d: number, out: Float64Array) => {
    let at = i * cols;
    if (i >= whole) for (let j = 0; j < cols; j++, at++) out[j]! += a * x[at]!;
    else {
      for (let j = 0; j < cols; j++, at++) {
        out[j]! += a * x[at]! + b * x[at + cols]! + c * x[at + 2 * cols]! + d * x[at + 3 * cols]!;
      }
    }
  };
  return {
    rows,
    cols,
    times(w, out) {
      product(w, (i, a, b, c, d) => {
        out[i] = a;
        if (i >= whole) return;
        out[i + 1] = b;
        out[i + 2] = c;
        out[i + 3] = d;
      });
    },
    transposeTimes(r, out) {
      out.fill(0);
      for (let i = 0; i < whole; i += 4) addRows(i, r[i]!, r[i + 1]!, r[i + 2]!, r[i + 3]!, out);
      for (let i = whole; i < rows; i++) addRows(i, r[i]!, 0, 0, 0, out);
    },
    curvatureTimes(v, shift, weights, out) {
      out.fill(0);
      let total = 0;
      product(v, (i, a, b, c, d) => {
        const first = weights[i]! * (a + shift);
        if (i >= whole) {
          addRows(i, first, 0, 0, 0, out);
          total += first;
          return;
        }
        const [second, third, fourth] = [
          weights[i + 1]! * (b + shift),
          weights[i + 2]! * (c + shift),
          weights[i + 3]! * (d + shift),
        ];
        addRows(i, first, second, third, fourth, out);
        total += first + second + third + fourth;
      });
      return total;
    },
  };
}

/** Sparse features: latent codes or word counts. */
export function sparseFeatures(csr: Csr): Features {
  const { indptr, indices, values } = csr;
  return {
    rows: csr.n,
    cols: csr.d_sae,
    times(w, out) {
      for (let i = 0; i < csr.n; i++) {
        let sum = 0;
        for (let j = indptr[i]!; j < indptr[i + 1]!; j++) sum += values[j]! * w[indices[j]!]!;
        out[i] = sum;
      }
    },
    transposeTimes(r, out) {
      out.fill(0);
      for (let i = 0; i < csr.n; i++) {
        for (let j = indptr[i]!; j < indptr[i + 1]!; j++) out[indices[j]!]! += values[j]! * r[i]!;
      }
    },
    curvatureTimes(v, shift, weights, out) {
      out.fill(0);
      let total = 0;
      for (let i = 0; i < csr.n; i++) {
        let sum = shift;
        for (let j = indptr[i]!; j < indptr[i + 1]!; j++) sum += values[j]! * v[indices[j]!]!;
        const weighted = weights[i]! * sum;
        for (let j = indptr[i]!; j < indptr[i + 1]!; j++) out[indices[j]!]! += values[j]! * weighted;
        total += weighted;
      }
      return total;
    },
  };
}
