/** @file Only the rows that count, in batches of whole items. */
import type { ActivationSet } from './data.ts';

/** Kept rows of consecutive items. */
export interface KeptBatch {
  firstItem: number;
  items: number;
  /** Kept rows of all items of the batch, row-major [rows, d_in]. */
  x: Float32Array;
  rows: number;
  /** Item i of the batch has the rows `bounds[i]` … `bounds[i + 1] − 1` of x. */
  bounds: Uint32Array;
}

/** Scans a set in batches of about `size` rows, leaving out special tokens and padding as the set's policy says. */
export async function* scanKept(set: ActivationSet, size: number): AsyncGenerator<KeptBatch> {
  const { d_in } = set;
  for await (const batch of set.scan(size)) {
    const x = batch.x.slice();
    const bounds = new Uint32Array(batch.items + 1);
    let rows = 0;
    for (let i = 0; i < batch.items; i++) {
      const item = batch.firstItem + i;
      for (let row = set.bounds[item]!; row < set.bounds[item + 1]!; row++) {
        if (set.keep[row] !== 1) continue;
        const from = (row - batch.firstRow) * d_in;
        x.copyWithin(rows * d_in, from, from + d_in);
        rows++;
      }
      bounds[i + 1] = rows;
    }
    yield { firstItem: batch.firstItem, items: batch.items, x: x.subarray(0, rows * d_in), rows, bounds };
  }
}
