/** @file Only the rows that count, in batches of whole items. */
import type { ActivationSet } from '../contract/data.ts';

/** Rows of a batch that is only read. */
export const SCAN_ROWS = 4096;
/** Rows of a batch that is encoded: bounds the one [rows, d_sae] block that variants with dense codes make. */
export const ENCODE_ROWS = 1024;

/** What of a set is needed to go through its kept rows. */
export type KeptSource = Pick<ActivationSet, 'd_in' | 'bounds' | 'keep' | 'groups' | 'scan'>;

/** Kept rows of consecutive items. */
export interface KeptBatch {
  firstItem: number;
  items: number;
  /** Kept rows of all items of the batch, row-major [rows, d_in]: not to be changed, and gone with the next batch. */
  x: Float32Array;
  rows: number;
  /** Item i of the batch has the rows `bounds[i]` … `bounds[i + 1] − 1` of x. */
  bounds: Uint32Array;
}

/**
 * Scans a set in batches of at most about `rows` rows ({@link SCAN_ROWS}, {@link ENCODE_ROWS}), leaving out special tokens and padding as the set's policy says. Where all
 * rows of a batch are kept they are the scan's own, else they are copied into memory that all batches share.
 */
export async function* scanKept(set: KeptSource, rows: number): AsyncGenerator<KeptBatch> {
  let memory = new Float32Array(0);
  for await (const batch of set.scan(rows)) {
    const { firstItem, items, firstRow } = batch;
    const bounds = new Uint32Array(items + 1);
    for (let i = 0; i < items; i++) {
      let end = bounds[i]!;
      for (let row = set.bounds[firstItem + i]!; row < set.bounds[firstItem + i + 1]!; row++) {
        if (set.keep[row] === 1) end++;
      }
      bounds[i + 1] = end;
    }
    const kept = bounds[items]!;
    let { x } = batch;
    if (kept < set.bounds[firstItem + items]! - firstRow) {
      if (memory.length < kept * set.d_in) memory = new Float32Array(kept * set.d_in);
      x = memory;
      copyKept(batch.x, x, kept, firstRow, set);
    }
    yield { firstItem, items, x: x.subarray(0, kept * set.d_in), rows: kept, bounds };
  }
}

/** The first `count` items of a set. */
export function firstItems(set: KeptSource, count: number): KeptSource {
  const { d_in, bounds, keep, groups } = set;
  return {
    d_in,
    bounds: bounds.subarray(0, count + 1),
    keep: keep.subarray(0, bounds[count]),
    ...(groups ? { groups: groups.subarray(0, count) } : {}),
    async *scan(rows) {
      for await (const batch of set.scan(rows)) {
        const items = Math.min(batch.items, count - batch.firstItem);
        const left = bounds[batch.firstItem + items]! - batch.firstRow;
        yield { ...batch, items, rows: left, x: batch.x.subarray(0, left * d_in) };
        if (batch.firstItem + items === count) return;
      }
    },
  };
}

/** Rows x [n, d_in] in memory as a set all of whose rows count: `each` consecutive ones are an item. */
export function rowsAsSet(
  x: Float32Array,
  d_in: number,
  { each = 1, groups }: { each?: number; groups?: Uint32Array } = {},
): KeptSource {
  const count = x.length / d_in / each;
  return {
    d_in,
    bounds: Uint32Array.from({ length: count + 1 }, (_, i) => i * each),
    keep: new Uint8Array(count * each).fill(1),
    ...(groups ? { groups } : {}),
    async *scan(size) {
      const most = Math.max(1, Math.floor(size / each));
      for (let firstItem = 0; firstItem < count; firstItem += most) {
        const items = Math.min(most, count - firstItem);
        const [firstRow, rows] = [firstItem * each, items * each];
        yield { firstItem, items, firstRow, rows, x: x.subarray(firstRow * d_in, (firstRow + rows) * d_in) };
      }
    },
  };
}

/** Copies the kept ones, `rows` of them, of the rows `x`: row `first` of the set and those after it. */
function copyKept(x: Float32Array, out: Float32Array, rows: number, first: number, { keep, d_in }: KeptSource): void {
  let filled = 0;
  for (let row = 0; filled < rows; row++) {
    if (keep[first + row] !== 1) continue;
    // A run of kept rows at a time: mostly whole items.
    const start = row;
    while (filled + row - start < rows && keep[first + row] === 1) row++;
    out.set(x.subarray(start * d_in, row * d_in), filled * d_in);
    filled += row - start;
  }
}
