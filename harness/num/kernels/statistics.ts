/** @file Loops of the evaluation over plain arrays that a backend can run many times faster than JavaScript. */

/** What the native backend brings beside its kernels for tensors; sums are in float64. */
export interface StatisticsKernels {
  /**
   * Fills `max` and `min` [items, width] (`min` empty: not wanted) with the extremes of each column of `x` [rows, width]
   * over the rows `bounds[i]` … `bounds[i + 1] − 1`, and `counts` [items, 2] with the number of values that are not 0 and
   * 1 where one is not finite. Items without rows are 0.
   */
  poolRows(
    max: Float32Array,
    min: Float32Array,
    counts: Int32Array,
    x: Float32Array,
    bounds: Uint32Array,
    width: number,
  ): void;
  /**
   * ‖Σ_j values[j] · rows[items[j]] − offsets[f] · shift‖² of each list f, with the entries j = `starts[f]` …
   * `starts[f + 1] − 1`; `rows` [n, dim] and `shift` [dim].
   */
  sumLengths(
    lists: { starts: Uint32Array; items: Uint32Array; values: Float32Array; offsets: Float64Array },
    rows: Float32Array,
    shift: Float64Array,
  ): Float64Array;
  /**
   * `out` [rows, 5]: Σx², Σ(x − mean)², and where `y` is not empty Σ(x − y)², Σy² and Σxy of each row of `x` and `y`
   * [rows, mean.length].
   */
  compareRows(x: Float32Array, y: Float32Array, mean: Float64Array, out: Float64Array): void;
  /** `out` [rows, 2]: values of each row of `x` that are not 0, and Σ|x|; adds each column's to `fires`. */
  countCodes(x: Float32Array, fires: Int32Array, out: Float64Array): void;
  /** `out` [rows] = X v, of `x` [rows, cols]. */
  matrixTimes(x: Float32Array, v: Float64Array, out: Float64Array): void;
  /** `out` [cols] = Xᵀ r. */
  transposeTimes(x: Float32Array, r: Float64Array, out: Float64Array): void;
  /** `out` [cols + 1] = Xᵀ r with r = weights ⊙ (X v + shift), and Σ r behind it. */
  curvatureTimes(x: Float32Array, v: Float64Array, shift: number, weights: Float64Array, out: Float64Array): void;
  /** Σ (x − mean)(x − mean)ᵀ [cols, cols] over the rows of `x` [rows, cols]. */
  outerSums(x: Float32Array, mean: Float64Array): Float64Array;
  /**
   * Fills `L` [n, n] with the lower-triangular factor of `matrix` [n, n], of which the lower triangle is read; returns −1,
   * or the first row that is not positive definite.
   */
  cholesky(matrix: Float64Array, L: Float64Array): number;
  /** Replaces `x` by the solution of L Lᵀ y = x. */
  choleskySolve(L: Float64Array, x: Float64Array): void;
}

/** Those of the backend in use, if it has any. */
export let statisticsKernels: StatisticsKernels | undefined;

/** Called by `backend.ts` whenever a backend is chosen. */
export function setStatisticsKernels(kernels: StatisticsKernels | undefined): void {
  statisticsKernels = kernels;
}
