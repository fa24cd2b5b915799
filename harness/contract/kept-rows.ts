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

/**
 * Scans a set in batches of about `size` rows, leaving out special tokens and padding as the set's policy says. The rows
 * are the scan's own where all of a batch are kept: callers must not change them.
 */
export async function* scanKept(set: ActivationSet, size: number): AsyncGenerator<KeptBatch> {
  for await (const batch of set.scan(size)) {
    const { firstItem, items, firstRow } = batch;
    const bounds = new Uint32Array(items + 1);
    for (let i = 0; i < items; i++) {
      let rows = bounds[i]!;
      for (let row = set.bounds[firstItem + i]!; row < set.bounds[firstItem + i + 1]!; row++) {
        if (set.keep[row] === 1) rows++;
      }
      bounds[i + 1] = rows;
    }
    const rows = bounds[items]!;
    const end = set.bounds[firstItem + items]! - firstRow;
    const x = rows === end ? batch.x.subarray(0, rows * set.d_in) : withoutDropped(batch.x, rows, firstRow, set);
    yield { firstItem, items, x, rows, bounds };
  }
}

/** The kept ones of the rows of `x`, which is row `first` of the set and those after it. */
function withoutDropped(x: Float32Array, rows: number, first: number, { keep, d_in }: ActivationSet): Float32Array {
  const out = new Float32Array(rows * d_in);
  let filled = 0;
  for (let row = 0; filled < rows; row++) {
    if (keep[first + row] !== 1) continue;
    // A run of kept rows at a time: mostly whole items.
    const start = row;
    while (filled + row - start < rows && keep[first + row] === 1) row++;
    out.set(x.subarray(start * d_in, row * d_in), filled * d_in);
    filled += row - start;
  }
  return out;
}
