/** @file Texts of a set as batches for the subject: their tokens, and their activations at the site. */
import type { ActivationSet, TokenBatch } from '../../harness/contract.ts';

/** Rows of a set that are one text, or its beginning. */
export interface TextRows {
  /** The first one. */
  start: number;
  length: number;
}

/** What was collected of the texts of a batch. */
export interface BatchRows {
  /** Row-major [n, length, d]: the activations at the site, 0 at padding. */
  x: Float32Array;
  d: number;
  /** [n, length]: 1 where a row counts by the policy of positions (no special tokens, no attention sinks). */
  keep: Float32Array;
}

/** Rows of ids, right-padded to the longest. */
export function padded(rows: readonly ArrayLike<number>[], padId: number): TokenBatch {
  const n = rows.length;
  const length = Math.max(...rows.map((row) => row.length));
  const [ids, mask] = [new Int32Array(n * length).fill(padId), new Uint8Array(n * length)];
  rows.forEach((row, i) => {
    ids.set(row, i * length);
    mask.fill(1, i * length, i * length + row.length);
  });
  return { n, length, ids, mask };
}

/** Tokens of texts of a set. */
export const tokensOf = ({ tokenIds }: ActivationSet, texts: readonly TextRows[]): TokenBatch =>
  padded(
    texts.map(({ start, length }) => tokenIds.subarray(start, start + length)),
    0,
  );

/** Their activations, read from the store: what comes before the site is not computed again. */
export async function rowsOf(
  activations: ActivationSet,
  texts: readonly TextRows[],
  { n, length }: TokenBatch,
): Promise<BatchRows> {
  const d = activations.d_in;
  const [x, keep] = [new Float32Array(n * length * d), new Float32Array(n * length)];
  for (const [row, { start, length: own }] of texts.entries()) {
    keep.set(activations.keep.subarray(start, start + own), row * length);
    x.set(await activations.read(start, start + own), row * length * d);
  }
  return { x, d, keep };
}
