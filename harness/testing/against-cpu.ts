/** @file For the tests: runs a function on the native and on tfjs's CPU backend with the same seeded inputs and compares. */
import * as tf from '@tensorflow/tfjs-core';
import * as assert from 'uvu/assert';
import { addonPath } from '../native/addon.ts';
import { initBackend } from '../num/backend.ts';

export { tf };

/** Registers the backend; false, with the reason printed, when the addon is not built. */
export async function nativeReady(): Promise<boolean> {
  try {
    // As every user gets it: a process keeps the kernels that were registered first.
    await initBackend('native');
    return true;
  } catch (error) {
    console.log(`skipped: ${error instanceof Error ? error.message : addonPath()}`);
    return false;
  }
}

/** A seeded source of numbers (splitmix-style integer hash), for shapes and values. */
export interface Source {
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** Uniform in [-1, 1). */
  real(): number;
}

/** A source for one test. */
export function source(seed: number): Source {
  let state = (seed * 0x9e3779b1) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  };
  return { int: (n) => next() % n, real: () => next() / 2 ** 31 - 1 };
}

/** A random shape of the given rank; `empty` lets dimensions be 0. */
export function shapeOf(from: Source, rank: number, largest = 5, empty = false): number[] {
  return Array.from({ length: rank }, () => (empty && from.int(8) === 0 ? 0 : 1 + from.int(largest)));
}

const special = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-40, 0.5, 2.5];

/** Random values of a dtype; `odd` mixes in NaN, infinities, signed zeros and subnormals. */
function valuesFor(from: Source, size: number, dtype: tf.NumericDataType, odd: boolean, scale: number): tf.TypedArray {
  const kinds = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, complex64: Float32Array };
  const values = new kinds[dtype](size);
  for (let i = 0; i < size; i++) {
    if (dtype === 'bool') values[i] = from.int(2);
    else if (dtype === 'int32') values[i] = from.int(21) - 10;
    else values[i] = odd && from.int(4) === 0 ? special[from.int(special.length)]! : from.real() * scale;
  }
  return values;
}

/** A description of an input, from which both backends make their own tensor. */
export interface Input {
  shape: number[];
  dtype?: tf.NumericDataType;
  values: tf.TypedArray;
}

/** A random input. */
export function input(
  from: Source,
  shape: number[],
  dtype: tf.NumericDataType = 'float32',
  odd = false,
  scale = 3,
): Input {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, dtype, values: valuesFor(from, size, dtype, odd, scale) };
}

interface Result {
  shape: number[];
  dtype: string;
  values: number[];
}

type Run = (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

function runOn(backend: string, inputs: Input[], run: Run): Result[] {
  tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const results = tf.tidy(() => {
    const made = inputs.map(({ values, shape, dtype }) => tf.tensor(values.slice(), shape, dtype));
    return [run(...made)]
      .flat()
      .map(
        (out) => ({ shape: out.shape, dtype: out.dtype, values: Array.from(out.dataSync()) }) as unknown as tf.Tensor,
      );
  }) as unknown as Result[];
  assert.is(tf.memory().numTensors, before, `${backend}: tensors left behind`);
  return results;
}

/** Equal bits of meaning: NaN like NaN, infinities exact, numbers within `tolerance` relative to max(|a|, floor). */
function close(a: number, b: number, tolerance: number, floor: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a === b;
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b), floor);
}

/**
 * Runs on both backends and compares shapes, dtypes and values. `tolerance` 0 asks for equality; `floor` is the magnitude
 * below which the tolerance is absolute.
 */
export function sameAsCpu(name: string, inputs: Input[], run: Run, tolerance = 0, floor = 1e-37): void {
  const expected = runOn('cpu', inputs, run);
  const got = runOn('native', inputs, run);
  const label = `${name} on ${inputs.map(({ shape, dtype }) => `${dtype}[${shape}]`).join(', ')}`;
  expected.forEach((cpu, i) => {
    const ours = got[i]!;
    assert.equal(ours.shape, cpu.shape, `${label}: shape`);
    assert.is(ours.dtype, cpu.dtype, `${label}: dtype`);
    const bad = cpu.values.findIndex((value, j) => !close(value, ours.values[j]!, tolerance, floor));
    if (bad >= 0 || cpu.values.length !== ours.values.length) {
      assert.unreachable(`${label}: output ${i} element ${bad}: expected ${cpu.values[bad]}, got ${ours.values[bad]}`);
    }
  });
}
