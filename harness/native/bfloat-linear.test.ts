/**
 * @file Products in bfloat16 (bfloat-linear.cc): the model of AMX's tiles against its own arithmetic written out here, the tiles of this
 * CPU against the model bit by bit, and all of them against exact sums.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bfloatToFloat, floatToBfloat } from '../io/float16.ts';
import { nativeReady, type Source, source } from '../testing/against-cpu.ts';
import { PRODUCTS, screeningProducts } from '../testing/screening-kinds.ts';
import { startAddon } from './addon.ts';

const ready = await nativeReady();
const test = suite('native products of bfloat16');
type By = (typeof PRODUCTS)[number];
type Sizes = [rows: number, width: number, out: number];
interface Problem {
  sizes: Sizes;
  x: Float32Array;
  w: Float32Array;
  bias: Float32Array;
}

const SIZES: Sizes[] = [
  [1, 1, 1],
  [1, 32, 32],
  [33, 31, 65],
  [12, 70, 40],
  [100, 129, 33],
];
const rounded = (values: Float32Array) => bfloatToFloat(floatToBfloat(values));

function problemOf(sizes: Sizes, seed: number, value: (from: Source) => number): Problem {
  const [rows, width, out] = sizes;
  const from = source(seed);
  const draw = (size: number) => Float32Array.from({ length: size }, () => value(from));
  return { sizes, x: draw(rows * width), w: draw(out * width), bias: seed % 2 ? draw(out) : new Float32Array(0) };
}

const packedOf = ([, width, out]: Sizes) => new Int32Array(Math.ceil(width / 32) * 16 * Math.ceil(out / 32) * 32);

function product({ sizes, x, w, bias }: Problem, by: By): Float32Array {
  const addon = startAddon();
  const [rows, width, out] = sizes;
  const packed = packedOf(sizes);
  addon.params.set([width, out]);
  addon.packPairs(packed, w);
  const y = new Float32Array(rows * out).fill(Number.NaN);
  addon.params.set([width, out, rows, PRODUCTS.indexOf(by)]);
  addon.pairedLinear(y, x, packed, bias);
  return y;
}

/** TDPBF16PS of Intel's manual: in steps of 16 pairs two chains of fused multiply-adds; exact sums of doubles stand for fused ones. */
function byTheManual({ sizes, x, w, bias }: Problem): Float32Array {
  const [rows, width, out] = sizes;
  const [a, b] = [rounded(x), rounded(w)];
  const y = new Float32Array(rows * out);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < out; j++) {
      let sum = 0;
      for (let from = 0; from < width; from += 32) {
        const chains = [0, 0];
        for (let k = from; k < Math.min(width, from + 32); k++)
          chains[k % 2] = Math.fround(chains[k % 2]! + a[i * width + k]! * b[j * width + k]!);
        sum = Math.fround(sum + Math.fround(chains[0]! + chains[1]!));
      }
      y[i * out + j] = bias.length > 0 ? sum + bias[j]! : sum;
    }
  }
  return y;
}

const bits = (values: Float32Array) => new Int32Array(values.buffer);

test('the model of the tiles computes what the manual says, bit by bit', () => {
  SIZES.forEach((sizes, seed) => {
    // Multiples of 2^-12 below 2: doubles hold every sum of a float and a product of two.
    const problem = problemOf(sizes, seed, (from) => Math.round(from.real() * 4096) / 2048);
    assert.equal(bits(product(problem, 'model')), bits(byTheManual(problem)), `${sizes}`);
  });
});

const others = ready ? screeningProducts(startAddon()).filter((by) => by !== 'model' && by !== 'float32') : [];
test('the tiles of this CPU give the bits of the model, for odd numbers too', () => {
  if (!others.includes('tiles')) return;
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, -3e38, 1e-40, 1e-38, -1.2e-38, 2e-20, -1e-19, 0, -0];
  SIZES.forEach((sizes, seed) => {
    for (const value of [
      (from: Source) => from.real(),
      (from: Source) => from.real() * 2 ** (from.int(60) - 30),
      (from: Source) => (from.int(8) === 0 ? odd[from.int(odd.length)]! : from.real()),
      (from: Source) => from.real() * 2 ** (from.int(20) - 72),
    ]) {
      const problem = problemOf(sizes, seed, value);
      const [expected, found] = [product(problem, 'model'), product(problem, 'tiles')];
      const bad = expected.findIndex((value, i) => !Object.is(value, found[i]));
      if (bad >= 0) assert.unreachable(`${sizes}, entry ${bad}: the model ${expected[bad]}, the tiles ${found[bad]}`);
    }
  });
});

for (const by of ['model', ...(others.length > 0 ? ['best', ...others] : [])] as By[]) {
  test(`by ${by}: exact sums of the rounded factors but for float32's rounding`, () => {
    SIZES.forEach((sizes, seed) => {
      const problem = problemOf(sizes, seed, (from) => from.real());
      const { x, w, bias } = problem;
      const [rows, width, out] = sizes;
      const [a, b, y] = [rounded(x), rounded(w), product(problem, by)];
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < out; j++) {
          let [sum, size] = [bias[j] ?? 0, Math.abs(bias[j] ?? 0)];
          for (let k = 0; k < width; k++) {
            sum += a[i * width + k]! * b[j * width + k]!;
            size += Math.abs(a[i * width + k]! * b[j * width + k]!);
          }
          const off = Math.abs(y[i * out + j]! - sum);
          assert.ok(off <= (2 * width + 2) * 2 ** -24 * size, `${sizes}, [${i}, ${j}]: off by ${off}`);
        }
      }
    });
  });
}

test('products are never emulated unless the model is asked for', () => {
  const problem = problemOf([3, 8, 9], 1, (from) => from.real());
  const { bfloat } = startAddon();
  if (bfloat === '') assert.throws(() => product(problem, 'best'), /this CPU has no such products of bfloat16/);
  if (bfloat !== 'amx_bf16')
    assert.throws(() => product(problem, 'tiles'), /this CPU has no such products of bfloat16/);
  else assert.equal(bits(product(problem, 'best')), bits(product(problem, 'tiles')));
});

test('weights come back rounded to nearest, as columns and as rows; an unknown row is an error', () => {
  const sizes: Sizes = [1, 37, 41];
  const [, width, out] = sizes;
  const values = problemOf(sizes, 2, (from) => from.real()).w;
  // Halves between two numbers go to the even one.
  values.set([1 + 2 ** -8, 1 + 3 * 2 ** -8, 65504, -0, 3.4e38, 1 + 2 ** -8 + 2 ** -20]);
  const addon = startAddon();
  const packed = packedOf(sizes);
  addon.params.set([width, out]);
  addon.packPairs(packed, values);
  const back = new Float32Array(width * out);
  addon.unpackPairs(back, packed);
  const expected = rounded(values);
  for (let j = 0; j < out; j++)
    for (let k = 0; k < width; k++) assert.is(back[k * out + j], expected[j * width + k], `${j}, ${k}`);
  const rows = new Float32Array(2 * width);
  addon.params.set([width, out, 2]);
  addon.pairedRows(rows, packed, Int32Array.of(40, 3));
  assert.equal(rows, Float32Array.of(...expected.subarray(40 * width), ...expected.subarray(3 * width, 4 * width)));
  for (const id of [-1, 41]) {
    const ids = Int32Array.of(0, id);
    assert.throws(() => addon.pairedRows(rows, packed, ids), /an id that the table has no row of/);
  }
});

test('arrays that are too short are errors', () => {
  const addon = startAddon();
  addon.params.set([32, 33, 2, 3]);
  const [y, x, packed] = [new Float32Array(66), new Float32Array(64), new Int32Array(1024)];
  const none = new Float32Array(0);
  addon.pairedLinear(y, x, packed, none);
  assert.throws(() => addon.pairedLinear(y.subarray(1), x, packed, none), /too short/);
  assert.throws(() => addon.pairedLinear(y, x.subarray(1), packed, none), /too short/);
  assert.throws(() => addon.pairedLinear(y, x, packed.subarray(1), none), /too short/);
  assert.throws(() => addon.pairedLinear(y, x, packed, new Float32Array(32)), /too short/);
});

if (ready) test.run();
