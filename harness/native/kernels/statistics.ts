/** @file Kernels on plain arrays, not tensors: num/kernels/statistics.ts says what they do. */
import type { Addon } from '../addon.ts';

/** The same memory as whole numbers of the kind that kernels take. */
function signed(values: Uint32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

/** Lists of entries, and what is taken off the sum of each. */
export interface Lists {
  starts: Uint32Array;
  items: Uint32Array;
  values: Float32Array;
  offsets: Float64Array;
}

/** The addon's kernels of the evaluation. */
export function statisticsKernels(addon: Addon) {
  return {
    poolRows(
      max: Float32Array,
      min: Float32Array,
      counts: Int32Array,
      x: Float32Array,
      bounds: Uint32Array,
      width: number,
    ): void {
      addon.params.set([bounds.length - 1, width]);
      addon.poolRows(max, min, counts, x, signed(bounds));
    },
    sumLengths({ starts, items, values, offsets }: Lists, rows: Float32Array, shift: Float64Array): Float64Array {
      const out = new Float64Array(offsets.length);
      addon.params.set([rows.length / shift.length, shift.length, offsets.length]);
      addon.sumLengths(out, rows, shift, signed(starts), signed(items), values, offsets);
      return out;
    },
    compareRows(x: Float32Array, y: Float32Array, mean: Float64Array, out: Float64Array): void {
      addon.params.set([out.length / 5, mean.length]);
      addon.compareRows(out, x, y, mean);
    },
    countCodes(x: Float32Array, fires: Int32Array, out: Float64Array): void {
      addon.params.set([out.length / 2, fires.length]);
      addon.countCodes(out, fires, x);
    },
    matrixTimes(x: Float32Array, v: Float64Array, out: Float64Array): void {
      addon.params.set([out.length, v.length]);
      addon.matrixTimes(out, x, v);
    },
    transposeTimes(x: Float32Array, r: Float64Array, out: Float64Array): void {
      addon.params.set([r.length, out.length]);
      addon.transposeTimes(out, x, r);
    },
    curvatureTimes(x: Float32Array, v: Float64Array, shift: number, weights: Float64Array, out: Float64Array): void {
      addon.params.set([weights.length, v.length, shift]);
      addon.curvatureTimes(out, x, v, weights);
    },
    outerSums(x: Float32Array, mean: Float64Array): Float64Array {
      const out = new Float64Array(mean.length ** 2);
      addon.params.set([x.length / Math.max(1, mean.length), mean.length]);
      addon.outerSums(out, x, mean);
      return out;
    },
    cholesky(matrix: Float64Array, L: Float64Array): number {
      const state = new Float64Array(1);
      addon.params.set([Math.sqrt(L.length)]);
      addon.cholesky(L, matrix, state);
      return state[0]!;
    },
    choleskySolve(L: Float64Array, x: Float64Array): void {
      addon.params.set([x.length]);
      addon.choleskySolve(x, L);
    },
  };
}
