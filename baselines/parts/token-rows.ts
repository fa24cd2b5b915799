/** @file Kept rows of chosen items, read once. */
import type { ActivationSet } from '../../harness/contract.ts';

/** Rows of items: item i of the list has the rows `bounds[i]` … `bounds[i + 1] − 1` of x [rows, d_in]. */
export interface TokenRows {
  x: Float32Array;
  rows: number;
  bounds: Uint32Array;
}

/** The kept rows of `items`, in the order given. */
export async function readTokenRows(set: ActivationSet, items: ArrayLike<number>): Promise<TokenRows> {
  const parts: Float32Array[] = [];
  const bounds = new Uint32Array(items.length + 1);
  for (let i = 0; i < items.length; i++) {
    const start = set.bounds[items[i]!]!;
    const end = set.bounds[items[i]! + 1]!;
    const x = await set.read(start, end);
    let kept = 0;
    for (let row = start; row < end; row++) {
      if (set.keep[row] !== 1) continue;
      x.copyWithin(kept * set.d_in, (row - start) * set.d_in, (row - start + 1) * set.d_in);
      kept++;
    }
    parts.push(x.subarray(0, kept * set.d_in));
    bounds[i + 1] = bounds[i]! + kept;
  }
  const rows = bounds[items.length]!;
  const x = new Float32Array(rows * set.d_in);
  parts.forEach((part, i) => {
    x.set(part, bounds[i]! * set.d_in);
  });
  return { x, rows, bounds };
}
