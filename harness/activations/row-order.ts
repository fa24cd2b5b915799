/** @file The order of training rows: blocks of rows shuffled over the whole set, rows shuffled within a mixing pool. */
import { createRng, type Rng } from '../num/rng.ts';

/** Rows that are read together. */
const BLOCK_ROWS = 64;
/** Rows that are mixed with one another. Part of the definition of the order: no setting changes it. */
export const POOL_ROWS = 65_536;
const POOL_BLOCKS = POOL_ROWS / BLOCK_ROWS;

/** Rows of one pool, shuffled; they all lie in `blocks`. */
export interface Pool {
  rows: Uint32Array;
  /** Disjoint ranges of rows [start, end), ascending, that hold all of `rows`. */
  ranges: [number, number][];
}

/** Which blocks a pool takes, and the stream that shuffles its rows. */
interface PoolPlan {
  blocks: Uint32Array;
  rng: Rng;
}

function* poolPlans(blocks: number, rng: Rng): Generator<PoolPlan> {
  for (let epoch = 0; ; epoch++) {
    const order = rng.fork(`epoch ${epoch}`).permutation(blocks);
    for (let first = 0, pool = 0; first < blocks; first += POOL_BLOCKS, pool++) {
      yield { blocks: order.slice(first, first + POOL_BLOCKS).sort(), rng: rng.fork(`epoch ${epoch} pool ${pool}`) };
    }
  }
}

/** Adjoining blocks as one range. */
function rangesOf(blocks: Uint32Array, n: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (const block of blocks) {
    const start = block * BLOCK_ROWS;
    const end = Math.min(n, start + BLOCK_ROWS);
    const last = ranges.at(-1);
    if (last?.[1] === start) last[1] = end;
    else ranges.push([start, end]);
  }
  return ranges;
}

/**
 * Endless pools over the rows with `eligible[row]` ≠ 0: every epoch goes through each of them once. The first
 * `skip` rows of the sequence are left out, without a look at any data. Depends on `eligible` and `seed` only.
 */
export function* rowPools(eligible: Uint8Array, seed: number, skip: number): Generator<Pool> {
  const n = eligible.length;
  const blocks = Math.ceil(n / BLOCK_ROWS);
  const counts = new Uint8Array(blocks);
  for (let row = 0; row < n; row++) if (eligible[row]) counts[Math.floor(row / BLOCK_ROWS)]!++;
  const perEpoch = counts.reduce((sum, count) => sum + count, 0);
  if (perEpoch === 0) throw new Error('rowPools: no eligible row');
  let left = skip;
  for (const { blocks: chosen, rng } of poolPlans(blocks, createRng(seed).fork('activations'))) {
    const size = chosen.reduce((sum, block) => sum + counts[block]!, 0);
    if (size === 0) continue;
    if (left >= size) {
      left -= size;
      continue;
    }
    const rows = new Uint32Array(size);
    let at = 0;
    for (const block of chosen) {
      const end = Math.min(n, (block + 1) * BLOCK_ROWS);
      for (let row = block * BLOCK_ROWS; row < end; row++) if (eligible[row]) rows[at++] = row;
    }
    rng.shuffle(rows);
    yield { rows: rows.subarray(left), ranges: rangesOf(chosen, n) };
    left = 0;
  }
}
