/** @file Endless shuffled batches over an activation set, with bounded memory. */
import type { ShuffledBatch, ShuffleOptions } from '../contract.ts';
import { UserError } from '../errors.ts';
import { type RowSource, readRows } from './read-rows.ts';
import { type Pool, rowPools } from './row-order.ts';

export interface ShuffleSource extends RowSource {
  n: number;
  bounds: Uint32Array;
  keep: Uint8Array;
  positions: Uint32Array;
  policy: string;
  /** A pool's rows are held in memory when they take at most this many bytes, and read one batch at a time otherwise. */
  memoryBytes: number;
}

/** Copies rows (any order) into `out` from row `at` on. */
type Gather = (rows: Uint32Array, out: Float32Array, at: number) => Promise<unknown>;

/**
 * Rows that may be drawn: kept ones, and with `previous` only those whose preceding position is kept as well. The row before
 * is of another position where an import left rows out of its files.
 */
function eligibleRows({ n, bounds, keep, positions, policy }: ShuffleSource, previous: boolean): Uint8Array {
  const eligible = Uint8Array.from(keep);
  if (previous) {
    for (let row = 0; row < n; row++)
      if (!keep[row - 1] || positions[row] !== positions[row - 1]! + 1) eligible[row] = 0;
    for (const start of bounds.subarray(0, -1)) eligible[start] = 0;
  }
  if (!eligible.includes(1)) {
    throw new UserError(`activations: no row to train on is left under the policy '${policy}'.`);
  }
  return eligible;
}

/** Reads the whole pool (and the row before each range) once, when it fits into the memory. */
async function poolGather(source: ShuffleSource, pool: Pool, before: number): Promise<Gather> {
  const d = source.d_in;
  const ranges = pool.ranges.map(([start, end]): [number, number] => [Math.max(0, start - before), end]);
  const total = ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  if (source.view || total * d * 4 > source.memoryBytes) return (rows, out, at) => readRows(source, rows, out, at);
  const pieces: { start: number; x: Float32Array }[] = [];
  for (const [start, end] of ranges) pieces.push({ start, x: await source.read(start, end) });
  const find = (row: number) => {
    let low = 0;
    let high = pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pieces[middle]!.start <= row) low = middle;
      else high = middle - 1;
    }
    return pieces[low]!;
  };
  return async (rows, out, at) => {
    for (let i = 0; i < rows.length; i++) {
      const { start, x } = find(rows[i]!);
      const from = (rows[i]! - start) * d;
      out.set(x.subarray(from, from + d), (at + i) * d);
    }
  };
}

/**
 * Batches of exactly `size` rows. The order depends on the kept rows, `seed` and `previous`, not on the width, the
 * batch size or the memory: two sites collected with one policy give the same rows.
 *
 * @throws UserError when no row is kept.
 */
export async function* shuffledBatches(
  source: ShuffleSource,
  size: number,
  seed: number,
  options: ShuffleOptions = {},
): AsyncGenerator<ShuffledBatch> {
  const { from = 0, previous = false, reuse = false } = options;
  const d = source.d_in;
  const emptyBatch = (): ShuffledBatch => ({
    rows: new Uint32Array(size),
    x: new Float32Array(size * d),
    ...(previous && { previous: new Float32Array(size * d) }),
  });
  let batch = emptyBatch();
  let filled = 0;
  for (const pool of rowPools(eligibleRows(source, previous), seed, from * size)) {
    const gather = await poolGather(source, pool, previous ? 1 : 0);
    for (let at = 0; at < pool.rows.length; ) {
      const rows = pool.rows.subarray(at, at + size - filled);
      batch.rows.set(rows, filled);
      await gather(rows, batch.x, filled);
      if (batch.previous)
        await gather(
          rows.map((row) => row - 1),
          batch.previous,
          filled,
        );
      at += rows.length;
      filled += rows.length;
      if (filled < size) continue;
      yield batch;
      if (!reuse) batch = emptyBatch();
      filled = 0;
    }
  }
}
