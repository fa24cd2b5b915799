/**
 * @file Screening in bfloat16 (SaxEncodeTopK where the CPU has AVX512-BF16) against the float32 kernel: the same bits, on
 * inputs made to break its bound.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, type Source, source } from '../testing/against-cpu.ts';
import { startAddon } from './addon.ts';

const ready = await nativeReady();
const test = suite('native screening');

/** How a call is served: float32 only, or screening wherever the CPU can. */
const FLOAT32 = 1;
const SCREENED = 2;

type Sizes = [n: number, d: number, features: number, k: number];
interface Problem {
  sizes: Sizes;
  x: Float32Array;
  W: Float32Array;
  bias: Float32Array;
}

/** Encodes with the given service; `screened` rows were tried, `left` of them handed back to float32. */
function encode({ sizes, x, W, bias }: Problem, mode: number) {
  const addon = startAddon();
  const [n, , , k] = sizes;
  const values = new Float32Array(n * k);
  const indices = new Int32Array(n * k);
  const settings = Int32Array.of(mode, 0, 0);
  addon.screening(settings);
  addon.params.set(sizes);
  addon.encodeTopK(values, indices, x, W, bias);
  settings[0] = 0;
  addon.screening(settings);
  return { values, indices, screened: settings[1]!, left: settings[2]! };
}

/** Runs both and compares all bits; returns what screening did. */
function compare(label: string, problem: Problem): { screened: number; left: number } {
  const [expected, got] = [encode(problem, FLOAT32), encode(problem, SCREENED)];
  assert.is(expected.screened, 0);
  const bad = expected.values.findIndex(
    (value, i) => !Object.is(value, got.values[i]) || expected.indices[i] !== got.indices[i],
  );
  const at = (run: typeof got) => `${run.values[bad]} of ${run.indices[bad]}`;
  if (bad >= 0) assert.unreachable(`${label}, entry ${bad}: expected ${at(expected)}, got ${at(got)}`);
  return got;
}

type Value = (from: Source, row: number, column: number) => number;

function problemOf(sizes: Sizes, seed: number, value: { x: Value; W: Value; bias: Value }): Problem {
  const [n, d, features] = sizes;
  const from = source(seed);
  const matrix = (rows: number, columns: number, of: Value) => {
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < values.length; i++) values[i] = of(from, Math.floor(i / columns), i % columns);
    return values;
  };
  return { sizes, x: matrix(n, d, value.x), W: matrix(d, features, value.W), bias: matrix(1, features, value.bias) };
}

const real: Value = (from) => from.real();
const zero: Value = () => 0;
const power = (from: Source, range: number) => from.real() * 2 ** (from.int(2 * range) - range);
const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 1e-40, 1e-45, 0, -0];
const oneIn = (from: Source, n: number, otherwise: number) =>
  from.int(n) === 0 ? special[from.int(special.length)]! : otherwise;

const SIZES: Sizes[] = [
  [13, 64, 512, 4],
  [50, 65, 777, 1],
  [100, 257, 1500, 16],
  [25, 530, 1025, 32],
  [97, 16, 2100, 7],
  [2060, 33, 200, 3],
];

/** What the inputs are made of; where true, screening must have settled most rows. */
const KINDS: [string, { x: Value; W: Value; bias: Value }, boolean][] = [
  ['random', { x: real, W: real, bias: real }, true],
  // Small whole numbers are exact in bfloat16: ties everywhere, and the order of indices decides.
  ['ties', { x: (f) => f.int(3) - 1, W: (f) => f.int(3) - 1, bias: zero }, false],
  ['all equal', { x: () => 1, W: () => 0.3, bias: zero }, false],
  // Columns that differ in the last bits of float32 only, of which bfloat16 sees nothing.
  [
    'near ties',
    { x: real, W: (f, row) => Math.fround(Math.sin(row + 1)) * (1 + f.int(8) * 2 ** -23), bias: zero },
    false,
  ],
  // Halfway between two bfloat16 numbers: the largest rounding error, always with the same sign.
  ['half steps', { x: () => 1 + 2 ** -8, W: (f) => (1 + 2 ** -8) * (1 + f.int(100) / 4), bias: zero }, false],
  ['scales of inputs', { x: (f) => power(f, 30), W: (f) => power(f, 30), bias: real }, false],
  ['scales of columns', { x: real, W: (f, _row, column) => f.real() * 2 ** ((column % 41) - 20), bias: zero }, false],
  ['scales of rows', { x: (f, row) => f.real() * 2 ** ((row % 121) - 60), W: real, bias: zero }, false],
  ['cancellation', { x: (_f, _r, c) => (c % 2 ? 1e4 : -1e4), W: (f) => 1 + f.real() * 1e-4, bias: real }, false],
  ['large biases', { x: real, W: real, bias: (f) => f.real() * 1e7 }, false],
  ['one odd column in 50', { x: real, W: (f, _r, c) => (c % 50 === 7 ? oneIn(f, 3, 1) : f.real()), bias: real }, false],
  ['odd biases', { x: real, W: real, bias: (f) => oneIn(f, 40, f.real()) }, false],
  ['odd rows', { x: (f, row) => (row % 9 === 4 ? oneIn(f, 5, 1) : f.real()), W: real, bias: real }, false],
  ['odd everywhere', { x: (f) => oneIn(f, 30, f.real()), W: (f) => oneIn(f, 30, f.real()), bias: real }, false],
  ['subnormals', { x: (f) => f.real() * 1e-39, W: (f) => f.real() * 1e-38, bias: zero }, false],
  ['products that underflow', { x: (f) => f.real() * 1e-22, W: (f) => f.real() * 1e-21, bias: zero }, false],
  ['products near overflow', { x: (f) => f.real() * 1e18, W: (f) => f.real() * 1e18, bias: zero }, false],
];

for (const [kind, value, settles] of KINDS) {
  test(`${kind}: the bits of the float32 kernel`, () => {
    SIZES.forEach((sizes, seed) => {
      const { screened, left } = compare(`${kind} ${sizes}`, problemOf(sizes, seed + 1, value));
      if (settles && screened > 0) assert.ok(left < sizes[0] / 4, `${kind} ${sizes}: ${left} rows left to float32`);
    });
  });
}

test('random problems of random kinds', () => {
  for (let seed = 100; seed < 160; seed++) {
    const from = source(seed);
    const sizes: Sizes = [1 + from.int(60), 1 + from.int(300), 40 + from.int(1400), 1 + from.int(30)];
    const pick = () => KINDS[from.int(KINDS.length)]![1];
    compare(`seed ${seed}, ${sizes}`, problemOf(sizes, seed, { x: pick().x, W: pick().W, bias: pick().bias }));
  }
});

test('the number of features equal to k: everything is a candidate', () => {
  compare('k = features', problemOf([20, 40, 64, 64], 3, { x: real, W: real, bias: real }));
});

if (ready) test.run();
