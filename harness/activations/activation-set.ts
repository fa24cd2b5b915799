/** @file The contract's ActivationSet over any source of rows: files of this project, imported arrays, memory. */
import type { ActivationBatch, ActivationSet } from '../contract.ts';
import { shuffledBatches } from './shuffled.ts';

/** What differs between the kinds of sets. */
export type ActivationSource = Pick<
  ActivationSet,
  | 'd_in'
  | 'n'
  | 'bounds'
  | 'tokenIds'
  | 'positions'
  | 'keep'
  | 'unfiltered'
  | 'groups'
  | 'policy'
  | 'key'
  | 'read'
  | 'view'
>;

/** Rows that the policy keeps. */
export const keptRows = ({ keep }: Pick<ActivationSet, 'keep'>): number => keep.reduce((sum, flag) => sum + flag, 0);

/** Bytes of activations that shuffling may hold when the caller sets no limit. */
const DEFAULT_MEMORY = 512 * 1024 * 1024;

async function* wholeItems(source: ActivationSource, rows: number): AsyncGenerator<ActivationBatch> {
  const { bounds, view = source.read } = source;
  const items = bounds.length - 1;
  for (let first = 0; first < items; ) {
    let last = first + 1;
    while (last < items && bounds[last + 1]! - bounds[first]! <= rows) last++;
    const firstRow = bounds[first]!;
    const end = bounds[last]!;
    yield {
      firstItem: first,
      items: last - first,
      firstRow,
      rows: end - firstRow,
      x: await view(firstRow, end),
    };
    first = last;
  }
}

/**
 * A set over `source`.
 *
 * @param memoryBytes Bytes that shuffling may hold; changes the speed, never the order. Default 512 MiB.
 */
export function activationSet(source: ActivationSource, memoryBytes = DEFAULT_MEMORY): ActivationSet {
  return {
    ...source,
    scan: (rows) => wholeItems(source, rows),
    shuffled: (size, seed, options) => shuffledBatches({ ...source, memoryBytes }, size, seed, options),
  };
}

/** A set of rows that are in memory already: one row an item, all kept unless said otherwise. */
export function memorySet(
  x: Float32Array,
  d_in: number,
  options: Partial<Omit<ActivationSource, 'd_in' | 'n' | 'read'>> = {},
): ActivationSet {
  const n = x.length / d_in;
  return activationSet({
    d_in,
    n,
    bounds: Uint32Array.from({ length: n + 1 }, (_, i) => i),
    tokenIds: new Int32Array(n).fill(-1),
    positions: new Uint32Array(n),
    keep: new Uint8Array(n).fill(1),
    policy: 'every row',
    key: `memory ${n} × ${d_in}`,
    ...options,
    view: async (start, end) => x.subarray(start * d_in, end * d_in),
    read: async (start, end) => x.slice(start * d_in, end * d_in),
  });
}
