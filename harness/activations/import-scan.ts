/** @file One pass over imported rows: values that are not finite, norms, a digest of the whole and of each item. */
import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import type { ImportRows } from './import-rows.ts';

export interface RowScan {
  /** SHA-256 over the rows as float32. */
  digest: string;
  /** Euclidean norms of the rows. */
  norms: { min: number; median: number; max: number };
  /** A hash of each item's rows in 53 bits: equal for items whose values are equal (0 and −0 are). */
  itemHash: Float64Array;
}

/** Bytes read at a time: bounds the memory. */
const CHUNK_BYTES = 16 * 1024 * 1024;
const MINUS_ZERO = -2147483648;

/**
 * Mixes the words of one row into the two halves of an item's hash (constants and rotations of MurmurHash3, each half
 * with its own). Collisions would keep strangers together in one split, which does no harm; 53 bits make them rare.
 */
function mixRow(words: Int32Array, start: number, end: number, hash: Int32Array): void {
  let [a, b] = hash as unknown as [number, number];
  for (let i = start; i < end; i++) {
    let word = words[i]!;
    if (word === MINUS_ZERO) word = 0;
    const left = Math.imul(word, 0xcc9e2d51);
    a ^= Math.imul((left << 15) | (left >>> 17), 0x1b873593);
    a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
    const right = Math.imul(word, 0x239b961b);
    b ^= Math.imul((right << 16) | (right >>> 16), 0xab0e9789);
    b = (Math.imul((b << 17) | (b >>> 15), 5) + 0x561ccd1b) | 0;
  }
  hash[0] = a;
  hash[1] = b;
}

function finalMix(half: number): number {
  let h = half;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One row's squared norm, in float64; not finite exactly where a value is not. */
function squaredNorm(x: Float32Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += x[i]! * x[i]!;
  return sum;
}

function notFinite(rows: ImportRows, first: { row: number; column: number; value: number }, count: number): UserError {
  const more = count > 1 ? `, and ${count - 1} more rows are not finite` : '';
  return new UserError(
    `activations ${rows.placeOf(first.row)}: expected finite numbers, found ${first.value} in column ${first.column}${more}.`,
  );
}

/**
 * @param bounds First row of each item, and the number of rows.
 * @throws UserError for NaN or infinite values, naming the first row that has one and how many have.
 */
export async function scanRows(rows: ImportRows, bounds: Uint32Array): Promise<RowScan> {
  const { n, d_in } = rows;
  const digest = createHash('sha256');
  const norms = new Float64Array(n);
  const itemHash = new Float64Array(bounds.length - 1);
  const hash = new Int32Array(2);
  let item = 0;
  let bad: { row: number; column: number; value: number } | undefined;
  let badRows = 0;
  const step = Math.max(1, Math.floor(CHUNK_BYTES / (4 * d_in)));
  for (let start = 0; start < n; start += step) {
    const x = await rows.read(start, Math.min(n, start + step));
    digest.update(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
    const words = new Int32Array(x.buffer, x.byteOffset, x.length);
    for (let at = 0, row = start; at < x.length; at += d_in, row++) {
      norms[row] = Math.sqrt(squaredNorm(x, at, at + d_in));
      if (!Number.isFinite(norms[row])) {
        const column = x.subarray(at, at + d_in).findIndex((value) => !Number.isFinite(value));
        if (column >= 0) {
          bad ??= { row, column, value: x[at + column]! };
          badRows++;
        }
      }
      mixRow(words, at, at + d_in, hash);
      if (row + 1 < bounds[item + 1]!) continue;
      itemHash[item] = (finalMix(hash[1]! ^ (row - bounds[item]!)) >>> 11) * 2 ** 32 + finalMix(hash[0]!);
      hash.fill(0);
      item++;
    }
  }
  if (bad) throw notFinite(rows, bad, badRows);
  norms.sort();
  const middle = n >> 1;
  const median = n % 2 === 1 ? norms[middle]! : (norms[middle - 1]! + norms[middle]!) / 2;
  return { digest: digest.digest('hex'), norms: { min: norms[0]!, median, max: norms[n - 1]! }, itemHash };
}
