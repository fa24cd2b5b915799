/**
 * @file Dequantisation of GGUF's blocks to float32, with the same rounding as ggml's reference (and the Python package
 * gguf): every product and sum is rounded to float32 once.
 */
import { halfValues } from './float16.ts';

/** Writes the numbers of whole blocks: `bytes` from its begin, `out` from `at` on. */
export type Dequantise = (bytes: Uint8Array, blocks: number, out: Float32Array, at: number) => void;

const { fround } = Math;

const halfAt = (half: Float32Array, bytes: Uint8Array, at: number) => half[bytes[at]! | (bytes[at + 1]! << 8)]!;
const signed = (byte: number) => (byte << 24) >> 24;

function f32(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  new Uint8Array(out.buffer, out.byteOffset + 4 * at, 4 * blocks).set(bytes.subarray(0, 4 * blocks));
}

function f16(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let i = 0; i < blocks; i++) out[at + i] = halfAt(half, bytes, 2 * i);
}

function bf16(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const words = new Uint32Array(out.buffer, out.byteOffset + 4 * at, blocks);
  for (let i = 0; i < blocks; i++) words[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
}

function q8_0(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 34, to += 32) {
    const d = halfAt(half, bytes, from);
    for (let i = 0; i < 32; i++) out[to + i] = d * signed(bytes[from + 2 + i]!);
  }
}

function q4_0(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 18, to += 32) {
    const d = halfAt(half, bytes, from);
    for (let i = 0; i < 16; i++) {
      const q = bytes[from + 2 + i]!;
      out[to + i] = d * ((q & 15) - 8);
      out[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }
}

function q4_1(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 20, to += 32) {
    const d = halfAt(half, bytes, from);
    const m = halfAt(half, bytes, from + 2);
    for (let i = 0; i < 16; i++) {
      const q = bytes[from + 4 + i]!;
      out[to + i] = fround(d * (q & 15)) + m;
      out[to + 16 + i] = fround(d * (q >> 4)) + m;
    }
  }
}

/** The fifth bits of a block's 32 numbers. */
const highBits = (bytes: Uint8Array, at: number) =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

function q5_0(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 22, to += 32) {
    const d = halfAt(half, bytes, from);
    const high = highBits(bytes, from + 2);
    for (let i = 0; i < 16; i++) {
      const q = bytes[from + 6 + i]!;
      out[to + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
      out[to + 16 + i] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
    }
  }
}

function q5_1(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 24, to += 32) {
    const d = halfAt(half, bytes, from);
    const m = halfAt(half, bytes, from + 2);
    const high = highBits(bytes, from + 4);
    for (let i = 0; i < 16; i++) {
      const q = bytes[from + 8 + i]!;
      out[to + i] = fround(d * ((q & 15) | (((high >>> i) & 1) << 4))) + m;
      out[to + 16 + i] = fround(d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4))) + m;
    }
  }
}

/** Scale and minimum of the j-th of a block's eight groups of 32: six bits each, packed in twelve bytes from `at` on. */
function groupScale(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j]! & 63 : (bytes[at + 4 + j]! & 15) | ((bytes[at + j - 4]! >> 2) & 48);
}
function groupMinimum(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + 4 + j]! & 63 : (bytes[at + 4 + j]! >> 4) | ((bytes[at + j]! >> 2) & 48);
}

function q4_K(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 144, to += 256) {
    const d = halfAt(half, bytes, from);
    const dmin = halfAt(half, bytes, from + 2);
    for (let j = 0; j < 8; j++) {
      const scale = fround(d * groupScale(bytes, from + 4, j));
      const minimum = fround(dmin * groupMinimum(bytes, from + 4, j));
      const low = from + 16 + 32 * (j >> 1);
      const shift = 4 * (j & 1);
      for (let i = 0; i < 32; i++) out[to + 32 * j + i] = fround(scale * ((bytes[low + i]! >> shift) & 15)) - minimum;
    }
  }
}

function q5_K(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 176, to += 256) {
    const d = halfAt(half, bytes, from);
    const dmin = halfAt(half, bytes, from + 2);
    for (let j = 0; j < 8; j++) {
      const scale = fround(d * groupScale(bytes, from + 4, j));
      const minimum = fround(dmin * groupMinimum(bytes, from + 4, j));
      const high = from + 16;
      const low = from + 48 + 32 * (j >> 1);
      const shift = 4 * (j & 1);
      for (let i = 0; i < 32; i++) {
        const q = ((bytes[low + i]! >> shift) & 15) | (((bytes[high + i]! >> j) & 1) << 4);
        out[to + 32 * j + i] = fround(scale * q) - minimum;
      }
    }
  }
}

function q6_K(bytes: Uint8Array, blocks: number, out: Float32Array, at: number): void {
  const half = halfValues();
  for (let b = 0, from = 0, to = at; b < blocks; b++, from += 210, to += 256) {
    const d = halfAt(half, bytes, from + 208);
    for (let j = 0; j < 8; j++) {
      // Two halves of 128 numbers; in each, four groups of 32 share bytes.
      const group = j & 3;
      const low = from + 64 * (j >> 2) + 32 * (group & 1);
      const high = from + 128 + 32 * (j >> 2);
      const [shiftLow, shiftHigh] = [4 * (group >> 1), 2 * group];
      for (let part = 0; part < 2; part++) {
        const scale = fround(d * signed(bytes[from + 192 + 2 * j + part]!));
        for (let i = 16 * part; i < 16 * part + 16; i++) {
          const q = ((bytes[low + i]! >> shiftLow) & 15) | (((bytes[high + i]! >> shiftHigh) & 3) << 4);
          out[to + 32 * j + i] = scale * (q - 32);
        }
      }
    }
  }
}

/** By the names of `ggufType`; other types cannot be read. */
export const DEQUANTISE: Readonly<Record<string, Dequantise>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  Q8_0: q8_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q4_K: q4_K,
  Q5_K: q5_K,
  Q6_K: q6_K,
};
