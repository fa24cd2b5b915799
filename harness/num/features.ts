/** @file A matrix of features that linear models can be fitted on without knowing how it is stored. */
import type { Csr } from './csr.ts';

/** A matrix [rows, cols] that can be multiplied from both sides. */
export interface Features {
  rows: number;
  cols: number;
  /** `out` [rows] = X w. */
  times(w: Float64Array, out: Float64Array): void;
  /** `out` [cols] = Xᵀ r. */
  transposeTimes(r: Float64Array, out: Float64Array): void;
}

/** Row-major dense features [rows, cols]. */
export function denseFeatures(x: ArrayLike<number>, rows: number, cols: number): Features {
  if (x.length !== rows * cols) throw new RangeError(`features: ${x.length} values are not [${rows}, ${cols}]`);
  return {
    rows,
    cols,
    times(w, out) {
      for (let i = 0; i < rows; i++) {
        let sum = 0;
        for (let c = 0; c < cols; c++) sum += x[i * cols + c]! * w[c]!;
        out[i] = sum;
      }
    },
    transposeTimes(r, out) {
      out.fill(0);
      for (let i = 0; i < rows; i++) {
        const weight = r[i]!;
        for (let c = 0; c < cols; c++) out[c]! += weight * x[i * cols + c]!;
      }
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
  };
}
