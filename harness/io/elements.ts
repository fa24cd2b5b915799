/** @file Typed elements in files: sizes of the element types, and reading a range as plain typed arrays by chunks. */

import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { bfloatToFloat, halfToFloat } from './float16.ts';

/** Element types that are read and written, by their safetensors names, with their size in bytes. */
export const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

/** Types of weights: integers are quantised ones, which mean nothing without their scale. */
export const FLOAT_TYPES: readonly string[] = ['F32', 'F16', 'BF16', 'F64'];

/** An element type, by its safetensors name. */
export type ElementType = keyof typeof ELEMENT_BYTES;

/**
 * What reading gives: `Float32Array` for F32, F16, BF16 and F64 (F64 as `Float64Array` where asked); `Uint8Array` for
 * U8 and BOOL; `Int32Array` for I8, I16, U16, I32; for U32, I64, U64 `Int32Array` when every value fits, otherwise
 * `Float64Array` (exact up to ±2^53).
 */
export type ElementArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** How to read a range of elements. */
export interface ElementRange {
  /** Byte position of the first element in the file. */
  position: number;
  /** Number of elements. */
  count: number;
  type: ElementType;
  /** Default false. */
  bigEndian?: boolean;
  /** Keep F64 as `Float64Array`. Default false: F64 becomes `Float32Array`. */
  keepF64?: boolean;
  /** Starts error messages: the file and the tensor. */
  where: string;
}

/** Bytes read at a time. Bounds the memory beside the result, and stays below the 2 GiB limit of one read call. */
export const CHUNK_BYTES = 8 * 1024 * 1024;

/** Read exactly `bytes.length` bytes at `position`; a UserError when the file ends before. */
export async function readExactly(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
  where: string,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, CHUNK_BYTES);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    if (bytesRead === 0) {
      throw new UserError(
        `${where}: the file ends early: expected ${bytes.length} bytes at ${position}, found ${done}.`,
      );
    }
    done += bytesRead;
  }
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
}

/** Convert raw little-endian bytes (aligned to 8) into the result, from element `at` on. */
function convert(bytes: Uint8Array, type: ElementType, out: ElementArray, at: number, where: string): void {
  const count = bytes.length / ELEMENT_BYTES[type];
  const { buffer, byteOffset } = bytes;
  switch (type) {
    case 'F16':
      halfToFloat(new Uint16Array(buffer, byteOffset, count), (out as Float32Array).subarray(at, at + count));
      return;
    case 'BF16':
      bfloatToFloat(new Uint16Array(buffer, byteOffset, count), (out as Float32Array).subarray(at, at + count));
      return;
    case 'F32':
      out.set(new Float32Array(buffer, byteOffset, count), at);
      return;
    case 'F64':
      out.set(new Float64Array(buffer, byteOffset, count), at);
      return;
    case 'I8':
      out.set(new Int8Array(buffer, byteOffset, count), at);
      return;
    case 'I16':
      out.set(new Int16Array(buffer, byteOffset, count), at);
      return;
    case 'U16':
      out.set(new Uint16Array(buffer, byteOffset, count), at);
      return;
    case 'I32':
      out.set(new Int32Array(buffer, byteOffset, count), at);
      return;
    case 'U32':
      out.set(new Uint32Array(buffer, byteOffset, count), at);
      return;
    case 'I64':
    case 'U64': {
      const wide =
        type === 'I64' ? new BigInt64Array(buffer, byteOffset, count) : new BigUint64Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) {
        const value = Number(wide[i]);
        if (!Number.isSafeInteger(value)) {
          throw new UserError(`${where}: element ${at + i} is ${wide[i]}, beyond ±2^53 and not exact as a number.`);
        }
        out[at + i] = value;
      }
      return;
    }
    default:
      out.set(bytes, at);
  }
}

function allocate(type: ElementType, count: number, keepF64: boolean): ElementArray {
  switch (type) {
    case 'F64':
      return keepF64 ? new Float64Array(count) : new Float32Array(count);
    case 'F16':
    case 'BF16':
    case 'F32':
      return new Float32Array(count);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(count);
    case 'U32':
    case 'I64':
    case 'U64':
      return new Float64Array(count);
    default:
      return new Int32Array(count);
  }
}

/** `Int32Array` where every value fits, otherwise the values as they are. */
function narrow(values: ElementArray): ElementArray {
  for (const value of values) if ((value | 0) !== value) return values;
  return Int32Array.from(values);
}

/** Read a range of elements from an open file. See {@link ElementArray} for what comes back. */
export async function readElements(handle: FileHandle, range: ElementRange): Promise<ElementArray> {
  const { position, count, type, where } = range;
  const size = ELEMENT_BYTES[type];
  const out = allocate(type, count, range.keepF64 ?? false);
  if (type === 'F32' || type === 'U8' || type === 'BOOL' || type === 'I32') {
    // The same bytes in memory as in the file: straight into the result, nothing beside it.
    const bytes = new Uint8Array(out.buffer);
    await readExactly(handle, bytes, position, where);
    if (range.bigEndian) swapBytes(bytes, size);
    return out;
  }
  const perChunk = CHUNK_BYTES / size;
  const chunk = new Uint8Array(Math.min(count, perChunk) * size);
  for (let at = 0; at < count; at += perChunk) {
    const bytes = chunk.subarray(0, Math.min(perChunk, count - at) * size);
    await readExactly(handle, bytes, position + at * size, where);
    if (range.bigEndian) swapBytes(bytes, size);
    convert(bytes, type, out, at, where);
  }
  return type === 'U32' || type === 'I64' || type === 'U64' ? narrow(out) : out;
}

/** Elements already in memory (an inflated archive member); the same conversion as {@link readElements}. */
export function elementsOf(bytes: Uint8Array, range: Omit<ElementRange, 'position'>): ElementArray {
  const size = ELEMENT_BYTES[range.type];
  if (bytes.length < range.count * size) {
    throw new UserError(
      `${range.where}: the data ends early: expected ${range.count * size} bytes, found ${bytes.length}.`,
    );
  }
  const aligned = Uint8Array.from(bytes.subarray(0, range.count * size));
  if (range.bigEndian) swapBytes(aligned, size);
  const out = allocate(range.type, range.count, range.keepF64 ?? false);
  convert(aligned, range.type, out, 0, range.where);
  return range.type === 'U32' || range.type === 'I64' || range.type === 'U64' ? narrow(out) : out;
}

/**
 * @throws UserError with the first index, its value and the count when a value is NaN or infinite.
 */
export function requireFinite(values: ElementArray, where: string): void {
  let count = 0;
  let first = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) {
      if (first < 0) first = i;
      count += 1;
    }
  }
  if (count > 0) {
    throw new UserError(
      `${where}: expected finite values, found ${count} of ${values.length} NaN or infinite, the first is ${values[first]} at index ${first}.`,
    );
  }
}
