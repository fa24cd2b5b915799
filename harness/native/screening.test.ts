/**
 * @file Screening in bfloat16 (SaxEncodeTopK where the CPU has AVX512-BF16) against the float32 kernel: the same bits, on
 * inputs made to break its bound, by dot products, by the tiles of AMX where there are some, and by their model.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, source } from '../testing/against-cpu.ts';
import {
  matrixOf,
  real,
  SCREENING_KINDS,
  type Served,
  screeningProducts,
  type Value,
  withScreening,
} from '../testing/screening-kinds.ts';
import { startAddon } from './addon.ts';

const ready = await nativeReady();
const test = suite('native screening');

type Sizes = [n: number, d: number, features: number, k: number];
interface Problem {
  sizes: Sizes;
  x: Float32Array;
  W: Float32Array;
  bias: Float32Array;
}

/** Encodes with the given service; `screened` rows were tried, `left` of them handed back to float32. */
function encode({ sizes, x, W, bias }: Problem, served: Served) {
  const addon = startAddon();
  const [n, , , k] = sizes;
  const values = new Float32Array(n * k);
  const indices = new Int32Array(n * k);
  const done = withScreening(addon, served, () => {
    addon.params.set(sizes);
    addon.encodeTopK(values, indices, x, W, bias);
  });
  return { values, indices, ...done };
}

/** Runs both and compares all bits; returns what screening did. */
function compare(label: string, problem: Problem, by: Served): { screened: number; left: number } {
  const [expected, got] = [encode(problem, 'float32'), encode(problem, by)];
  assert.is(expected.screened, 0);
  const bad = expected.values.findIndex(
    (value, i) => !Object.is(value, got.values[i]) || expected.indices[i] !== got.indices[i],
  );
  const at = (run: typeof got) => `${run.values[bad]} of ${run.indices[bad]}`;
  if (bad >= 0) assert.unreachable(`${label}, entry ${bad}: expected ${at(expected)}, got ${at(got)}`);
  return got;
}

function problemOf(sizes: Sizes, seed: number, value: { x: Value; W: Value; bias: Value }): Problem {
  const [n, d, features] = sizes;
  const from = source(seed);
  const matrix = (rows: number, columns: number, of: Value) => matrixOf(from, rows, columns, of);
  return { sizes, x: matrix(n, d, value.x), W: matrix(d, features, value.W), bias: matrix(1, features, value.bias) };
}

const SIZES: Sizes[] = [
  [13, 64, 512, 4],
  [50, 65, 777, 1],
  [100, 257, 1500, 16],
  [25, 530, 1025, 32],
  [97, 16, 2100, 7],
  [2060, 33, 200, 3],
];

for (const [rank, by] of (ready ? screeningProducts(startAddon()) : []).entries())
  for (const [kind, value, settles] of SCREENING_KINDS) {
    test(`${kind}, by ${by}: the bits of the float32 kernel`, () => {
      SIZES.slice(0, rank === 0 ? SIZES.length : 2).forEach((sizes, seed) => {
        const { screened, left } = compare(`${kind} ${sizes}`, problemOf(sizes, seed + 1, value), by);
        assert.is(screened, sizes[0]);
        if (settles) assert.ok(left < sizes[0] / 4, `${kind} ${sizes}: ${left} rows left to float32`);
      });
    });
  }

test('random problems of random kinds', () => {
  for (let seed = 100; seed < 160; seed++) {
    const from = source(seed);
    const sizes: Sizes = [1 + from.int(60), 1 + from.int(300), 40 + from.int(1400), 1 + from.int(30)];
    const pick = () => SCREENING_KINDS[from.int(SCREENING_KINDS.length)]![1];
    const problem = problemOf(sizes, seed, { x: pick().x, W: pick().W, bias: pick().bias });
    compare(`seed ${seed}, ${sizes}`, problem, 'best');
  }
});

test('the number of features equal to k: everything is a candidate', () => {
  compare('k = features', problemOf([20, 40, 64, 64], 3, { x: real, W: real, bias: real }), 'best');
});

if (ready) test.run();
