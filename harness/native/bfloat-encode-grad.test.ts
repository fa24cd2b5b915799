/**
 * @file The gradients of a dense encoder in bfloat16 (bfloat-encode-grad.cc): against exact sums in float64 of factors rounded to
 * bfloat16, and by every road the bits of the product of the gradient that passes.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bfloatToFloat, floatToBfloat } from '../io/float16.ts';
import { nativeReady, source } from '../testing/against-cpu.ts';
import { PRODUCTS, screeningProducts } from '../testing/screening-kinds.ts';
import { startAddon } from './addon.ts';

const ready = await nativeReady();
const test = suite('native gradients of dense encoders in bfloat16');
type By = (typeof PRODUCTS)[number];
type Sizes = readonly [n: number, d: number, features: number];
interface Inputs {
  x: Float32Array;
  dy: Float32Array;
  seen: Float32Array;
  floors: Float32Array;
}

const none = new Float32Array(0);
const units = () =>
  ['model', ...screeningProducts(startAddon()).filter((by) => by === 'tiles' || by === 'dots')] as By[];

function gradients([n, d, features]: Sizes, by: By, { x, dy, seen, floors }: Inputs, half?: number) {
  const addon = startAddon();
  const [dW, dbias] = [new Float32Array(d * features).fill(Number.NaN), new Float32Array(features).fill(Number.NaN)];
  const near = half === undefined ? none : new Float32Array(features).fill(Number.NaN);
  addon.params.set([n, d, features, half ?? 0, PRODUCTS.indexOf(by)]);
  addon.bfloatEncodeGrad(dW, dbias, near, x, dy, seen, floors);
  return { dW, dbias, near };
}

/** xᵀ · dz by the kernel of any two matrices. */
function product([n, d, features]: Sizes, by: By, x: Float32Array, dz: Float32Array): Float32Array {
  const addon = startAddon();
  const c = new Float32Array(d * features);
  addon.params.set([1, d, features, n, 1, 0, 0, 0, 1, PRODUCTS.indexOf(by)]);
  addon.bfloatMatMul(c, x, dz, none);
  return c;
}

/** What passes, and the sums in double precision of the columns. */
function byHand([n, , features]: Sizes, { dy, seen, floors }: Inputs, half: number) {
  const dz = dy.map((value, i) => (seen[i]! > floors[i % features]! ? value : 0));
  const [passed, near] = [new Float64Array(features), new Float64Array(features)];
  for (let i = 0; i < n * features; i++) {
    const j = i % features;
    passed[j]! += dz[i]!;
    if (Math.abs(Math.fround(seen[i]! - floors[j]!)) < Math.fround(half)) near[j]! += dy[i]!;
  }
  return { dz, dbias: Float32Array.from(passed), near: Float32Array.from(near) };
}

function drawn([n, d, features]: Sizes, seed: number): Inputs {
  const from = source(seed);
  const some = (size: number) => Float32Array.from({ length: size }, () => from.real());
  return { x: some(n * d), dy: some(n * features), seen: some(n * features), floors: some(features).map(Math.abs) };
}

// Beyond a block of columns (256), a block of rows (192), the pairs that are multiplied at once (512 numbers); odd ends everywhere.
const SIZES: Sizes[] = [
  [1, 1, 1],
  [32, 16, 32],
  [33, 31, 65],
  [70, 13, 290],
  [40, 205, 33],
  [530, 17, 41],
];

test('the bits of the product of what passes; sums are those in double precision, in order', () => {
  for (const by of units()) {
    for (const [seed, sizes] of SIZES.entries()) {
      const inputs = drawn(sizes, seed);
      const { dz, dbias, near } = byHand(sizes, inputs, 0.25);
      const expected = product(sizes, by, inputs.x, dz);
      assert.equal(gradients(sizes, by, inputs, 0.25), { dW: expected, dbias, near }, `${by} ${sizes}`);
      assert.equal(gradients(sizes, by, inputs), { dW: expected, dbias, near: none }, `${by} ${sizes}, without a band`);
    }
  }
});

test('both factors are rounded to bfloat16, and what is summed in float32 is exact where it has the room', () => {
  const sizes: Sizes = [75, 35, 70];
  const [n, d, features] = sizes;
  const from = source(9);
  // 1 + k · 2^-9 takes two bits more than bfloat16 has; sums of 75 products of nine bits each are exact in float32.
  const some = (size: number) => Float32Array.from({ length: size }, () => 1 + from.int(512) * 2 ** -9);
  const inputs = {
    x: some(n * d),
    dy: some(n * features),
    seen: some(n * features),
    floors: new Float32Array(features).fill(1.5),
  };
  const [x, dy] = [inputs.x, inputs.dy].map((values) => bfloatToFloat(floatToBfloat(values))) as [
    Float32Array,
    Float32Array,
  ];
  assert.not.equal(x, inputs.x);
  const expected = new Float64Array(d * features);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < features; j++) {
      if (!(inputs.seen[i * features + j]! > 1.5)) continue;
      for (let k = 0; k < d; k++) expected[k * features + j]! += x[i * d + k]! * dy[i * features + j]!;
    }
  for (const by of units()) assert.equal(gradients(sizes, by, inputs).dW, Float32Array.from(expected), by);
});

test('at its floor, and where NaN was seen, nothing passes, not even what is infinite; a band has no borders', () => {
  const sizes: Sizes = [6, 1, 1];
  const of = (...values: number[]) => Float32Array.from(values);
  const seen = of(1, Number.NaN, 0.5, 1.5, 2, Number.POSITIVE_INFINITY);
  const dy = of(Number.POSITIVE_INFINITY, Number.NaN, 4, 8, 16, 32);
  for (const by of units()) {
    const { dW, dbias } = gradients(sizes, by, { x: of(1, 1, 1, 1, 1, 1), dy, seen, floors: of(1) });
    assert.equal([dW[0], dbias[0]], [56, 56], by);
    const finite = { x: of(1, 1, 1, 1, 1, 1), dy: of(1, 2, 4, 8, 16, 32), seen, floors: of(1) };
    assert.is(gradients(sizes, by, finite, 0.5).near[0], 1, `${by}: what is half a band away is outside`);
    assert.is(gradients(sizes, by, finite, 0.75).near[0], 13, by);
  }
});

test('sizes that contradict the arrays are errors, and so are products that this CPU lacks', () => {
  const sizes: Sizes = [33, 34, 35];
  const inputs = drawn(sizes, 7);
  for (const name of ['x', 'dy', 'seen', 'floors'] as const) {
    const short = { ...inputs, [name]: inputs[name].subarray(1) };
    assert.throws(() => gradients(sizes, 'model', short), /too short/, name);
  }
  assert.throws(() => gradients([33, 34, 0], 'model', inputs), /nothing to sum/);
  assert.throws(() => gradients([-1, 34, 35], 'model', inputs), /size is missing or out of range/);
  if (startAddon().bfloat === '')
    assert.throws(() => gradients(sizes, 'best', inputs), /this CPU has no such products/);
});

if (ready) test.run();
