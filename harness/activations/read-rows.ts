/** @file Reads scattered rows of an activation set: from memory, or in few contiguous pieces. */

/** What can be read by contiguous ranges of rows; `read` gives row-major [end − start, d_in]. */
export interface RowSource {
  d_in: number;
  read(start: number, end: number): Promise<Float32Array>;
  /** The same without a copy, where the rows are in memory anyway. */
  view?(start: number, end: number): Promise<Float32Array>;
}

/** Skipping fewer rows than this costs less than another read. */
const NEAR = 16;
/** Rows of one piece: bounds the memory beside the result. */
const PIECE = 1024;

/** The rows `rows` (any order, repeats allowed), row-major [rows.length, d_in], written to `out` from row `at` on. */
export async function readRows(source: RowSource, rows: Uint32Array, out: Float32Array, at = 0): Promise<Float32Array> {
  const d = source.d_in;
  if (source.view) {
    const all = await source.view(0, rows.reduce((last, row) => Math.max(last, row), -1) + 1);
    for (let i = 0; i < rows.length; ) {
      const start = rows[i]!;
      let count = 1;
      while (i + count < rows.length && rows[i + count] === start + count) count++;
      out.set(all.subarray(start * d, (start + count) * d), (at + i) * d);
      i += count;
    }
    return out;
  }
  const order = Uint32Array.from(rows.keys()).sort((a, b) => rows[a]! - rows[b]!);
  for (let i = 0; i < order.length; ) {
    const start = rows[order[i]!]!;
    let stop = i + 1;
    while (stop < order.length) {
      const row = rows[order[stop]!]!;
      if (row - start >= PIECE || row - rows[order[stop - 1]!]! > NEAR) break;
      stop++;
    }
    const piece = await source.read(start, rows[order[stop - 1]!]! + 1);
    for (; i < stop; i++) {
      const from = (rows[order[i]!]! - start) * d;
      out.set(piece.subarray(from, from + d), (at + order[i]!) * d);
    }
  }
  return out;
}
