/** @file Pools codes of tokens or patches into one row for each item. */
import type { Csr } from './csr.ts';
import { type StatisticsKernels, statisticsKernels } from './kernels/statistics.ts';

/**
 * Row g is the maximum (or mean) over the rows of group g, zeros included.
 *
 * @param groups group of each row, in [0, count), not descending (rows of one item lie together)
 * @param count number of groups; one without rows is all zero
 */
export function poolRows(csr: Csr, groups: ArrayLike<number>, count: number, how: 'max' | 'mean'): Csr {
  if (groups.length !== csr.n) throw new RangeError(`pooling: ${csr.n} rows with ${groups.length} group numbers`);
  const { n, d_sae } = csr;
  const sums = new Float64Array(d_sae);
  const hits = new Uint32Array(d_sae);
  const touched = new Uint32Array(d_sae);
  const indptr = new Uint32Array(count + 1);
  const indices = new Uint32Array(csr.values.length);
  const values = new Float32Array(csr.values.length);
  let [row, filled] = [0, 0];
  for (let group = 0; group < count; group++) {
    const first = row;
    let latents = 0;
    for (; row < n && groups[row] === group; row++) {
      for (let j = csr.indptr[row]!; j < csr.indptr[row + 1]!; j++) {
        const f = csr.indices[j]!;
        const value = csr.values[j]!;
        if (hits[f] === 0) touched[latents++] = f;
        sums[f] = how === 'mean' ? sums[f]! + value : hits[f] === 0 ? value : Math.max(sums[f]!, value);
        hits[f]!++;
      }
    }
    const rows = row - first;
    for (const f of ascending(touched, latents, hits)) {
      // A latent that is silent in some row of the group has a 0 there, which beats any negative value.
      const pooled = how === 'mean' ? sums[f]! / rows : hits[f]! < rows ? Math.max(0, sums[f]!) : sums[f]!;
      if (pooled !== 0) {
        indices[filled] = f;
        values[filled++] = pooled;
      }
      sums[f] = 0;
      hits[f] = 0;
    }
    indptr[group + 1] = filled;
  }
  if (row !== n)
    throw new RangeError(`pooling: row ${row} has group ${groups[row]}: groups must ascend below ${count}`);
  return { n: count, d_sae, indptr, indices: indices.slice(0, filled), values: values.slice(0, filled) };
}

/** The first `count` of the touched latents in order: sorted, or where they are many found by a walk over all. */
function ascending(touched: Uint32Array, count: number, hits: Uint32Array): Uint32Array {
  if (count * 16 < hits.length) return touched.subarray(0, count).sort();
  for (let f = 0, found = 0; found < count; f++) if (hits[f] !== 0) touched[found++] = f;
  return touched.subarray(0, count);
}

/** The largest and the smallest value of each latent over each item, row-major [items, width]. */
export interface Extremes {
  max: Float32Array;
  /** Empty when it was not asked for. */
  min: Float32Array;
  /** Values that are not 0, in all rows. */
  nonZeros: number;
}

/**
 * The extremes of each column of dense rows [n, width] over the rows `bounds[i]` … `bounds[i + 1] − 1` of each item i; 0
 * where an item has no rows.
 *
 * @param both leave out for the maximum alone
 * @throws RangeError for a value that is not finite, naming its column
 */
export function poolDenseRows(rows: Float32Array, width: number, bounds: Uint32Array, both = true): Extremes {
  const items = bounds.length - 1;
  if (rows.length !== bounds[items]! * width) {
    throw new RangeError(`pooling: ${rows.length} values are not ${bounds[items]} rows of ${width}`);
  }
  const max = new Float32Array(items * width);
  const min = new Float32Array(both ? items * width : 0);
  const counts = new Int32Array(2 * items);
  (statisticsKernels?.poolRows ?? poolRowsHere)(max, min, counts, rows, bounds, width);
  let nonZeros = 0;
  for (let item = 0; item < items; item++) {
    nonZeros += counts[2 * item]!;
    if (counts[2 * item + 1] !== 0) throw notFinite(rows, width);
  }
  return { max, min, nonZeros };
}

function notFinite(rows: Float32Array, width: number): RangeError {
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  return new RangeError(`latent ${bad % width}: expected finite activations, found ${rows[bad]}`);
}

/** What the native kernel does, for the other backends. */
const poolRowsHere: StatisticsKernels['poolRows'] = (max, min, counts, x, bounds, width) => {
  for (let item = 0; item + 1 < bounds.length; item++) {
    const to = item * width;
    for (let row = bounds[item]!; row < bounds[item + 1]!; row++) {
      const first = row === bounds[item];
      for (let j = 0, at = row * width; j < width; j++, at++) {
        const value = x[at]!;
        if (value !== 0) counts[2 * item]!++;
        // False for NaN as well.
        if (!(value - value === 0)) counts[2 * item + 1] = 1;
        if (first || value > max[to + j]!) max[to + j] = value;
        // Of an empty array nothing is kept.
        if (first || value < min[to + j]!) min[to + j] = value;
      }
    }
  }
};
