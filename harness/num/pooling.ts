/** @file Pools codes of tokens or patches into one row for each item. */
import type { Csr } from './csr.ts';

/**
 * Row g is the maximum (or mean) over the rows of group g, zeros included.
 *
 * @param groups group of each row, in [0, count), not descending (rows of one item lie together)
 * @param count number of groups; one without rows is all zero
 */
export function poolRows(csr: Csr, groups: ArrayLike<number>, count: number, how: 'max' | 'mean'): Csr {
  if (groups.length !== csr.n) throw new RangeError(`pooling: ${csr.n} rows with ${groups.length} group numbers`);
  const sums = new Float64Array(csr.d_sae);
  const hits = new Uint32Array(csr.d_sae);
  const indptr = new Uint32Array(count + 1);
  const indices: number[] = [];
  const values: number[] = [];
  let row = 0;
  for (let group = 0; group < count; group++) {
    const touched: number[] = [];
    const first = row;
    for (; row < csr.n && groups[row] === group; row++) {
      for (let j = csr.indptr[row]!; j < csr.indptr[row + 1]!; j++) {
        const f = csr.indices[j]!;
        const value = csr.values[j]!;
        if (hits[f] === 0) touched.push(f);
        sums[f] = how === 'mean' ? sums[f]! + value : hits[f] === 0 ? value : Math.max(sums[f]!, value);
        hits[f]!++;
      }
    }
    const rows = row - first;
    for (const f of touched.sort((a, b) => a - b)) {
      // A latent that is silent in some row of the group has a 0 there, which beats any negative value.
      const pooled = how === 'mean' ? sums[f]! / rows : hits[f]! < rows ? Math.max(0, sums[f]!) : sums[f]!;
      if (pooled !== 0) {
        indices.push(f);
        values.push(pooled);
      }
      sums[f] = 0;
      hits[f] = 0;
    }
    indptr[group + 1] = indices.length;
  }
  if (row !== csr.n)
    throw new RangeError(`pooling: row ${row} has group ${groups[row]}: groups must ascend below ${count}`);
  return { n: count, d_sae: csr.d_sae, indptr, indices: Uint32Array.from(indices), values: Float32Array.from(values) };
}

/**
 * The largest and the smallest value of each column of dense rows [n, width] over each group, and the number of values
 * that are not 0.
 *
 * @param groups as in {@link poolRows}
 * @throws RangeError for a value that is not finite, naming its column
 */
export function poolDenseRows(
  rows: Float32Array,
  width: number,
  groups: ArrayLike<number>,
  count: number,
): { max: Float32Array; min: Float32Array; nonZeros: number } {
  if (rows.length !== groups.length * width) {
    throw new RangeError(`pooling: ${rows.length} values are not ${groups.length} rows of ${width}`);
  }
  const max = new Float32Array(count * width);
  const min = new Float32Array(count * width);
  let nonZeros = 0;
  for (let row = 0; row < groups.length; row++) {
    const from = row * width;
    const group = groups[row]! * width;
    const first = row === 0 || groups[row] !== groups[row - 1];
    for (let j = 0; j < width; j++) {
      const value = rows[from + j]!;
      if (value !== 0) nonZeros++;
      // False for NaN as well.
      if (!(value - value === 0)) throw new RangeError(`latent ${j}: expected finite activations, found ${value}`);
      if (first || value > max[group + j]!) max[group + j] = value;
      if (first || value < min[group + j]!) min[group + j] = value;
    }
  }
  return { max, min, nonZeros };
}
