/**
 * @file Products of any two matrices in bfloat16 (bfloat-gemm.cc): by every road and either way round the bits of the packed layers'
 * product, which bfloat-linear.test.ts holds against the manual of the tiles and exact sums.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, source } from '../testing/against-cpu.ts';
import { PRODUCTS, screeningProducts } from '../testing/screening-kinds.ts';
import { startAddon } from './addon.ts';

const ready = await nativeReady();
const test = suite('native products of bfloat16, unpacked');
type By = (typeof PRODUCTS)[number];
interface Call {
  sizes: [m: number, n: number, k: number];
  by: By;
  a: Float32Array;
  b: Float32Array;
  transposed?: [boolean, boolean];
  bias?: Float32Array;
  relu?: boolean;
  batch?: number;
  mode?: number;
}

const none = new Float32Array(0);
const units = (): By[] =>
  ['model', ...screeningProducts(startAddon()).filter((by) => by === 'tiles' || by === 'dots')] as By[];

function product({
  sizes,
  by,
  a,
  b,
  transposed = [false, false],
  bias = none,
  relu = false,
  batch = 1,
  mode = 1,
}: Call) {
  const [m, n, k] = sizes;
  const addon = startAddon();
  const c = new Float32Array(batch * m * n).fill(Number.NaN);
  addon.params.set([
    batch,
    m,
    n,
    k,
    Number(transposed[0]),
    Number(transposed[1]),
    relu ? 1 : 0,
    0,
    mode,
    PRODUCTS.indexOf(by),
  ]);
  addon.bfloatMatMul(c, a, b, bias);
  return c;
}

/** a · bᵀ by the packed layers' kernel. */
function packedProduct([m, n, k]: Call['sizes'], by: By, a: Float32Array, bT: Float32Array): Float32Array {
  const addon = startAddon();
  const packed = new Int32Array(Math.ceil(k / 32) * 16 * Math.ceil(n / 32) * 32);
  addon.params.set([k, n]);
  addon.packPairs(packed, bT);
  const y = new Float32Array(m * n);
  addon.params.set([k, n, m, PRODUCTS.indexOf(by)]);
  addon.pairedLinear(y, a, packed, none);
  return y;
}

function draw(size: number, seed: number): Float32Array {
  const from = source(seed);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = from.int(50) === 0 ? from.real() * 2 ** (from.int(60) - 30) : from.real();
  return values;
}

function turned(x: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = x[i * columns + j]!;
  return out;
}

function sameBits(found: Float32Array, expected: Float32Array, what: string): void {
  assert.is(found.length, expected.length, what);
  const bad = expected.findIndex((value, i) => !Object.is(value, found[i]));
  if (bad >= 0) assert.unreachable(`${what}, entry ${bad}: expected ${expected[bad]}, found ${found[bad]}`);
}

// Beyond one block of rows (192), of columns (256), of pairs (256); and odd ends everywhere.
const SIZES: Call['sizes'][] = [
  [1, 1, 1],
  [16, 32, 32],
  [33, 65, 31],
  [13, 40, 70],
  [205, 33, 40],
  [20, 290, 33],
  [35, 41, 530],
];

test('all transposes give the bits of the packed product, sums in parts as sums in one', () => {
  for (const by of units()) {
    SIZES.forEach((sizes, seed) => {
      const [m, n, k] = sizes;
      const [a, b] = [draw(m * k, seed), draw(k * n, seed + 100)];
      const bT = turned(b, k, n);
      const expected = packedProduct(sizes, by, a, bT);
      for (const ta of [false, true])
        for (const tb of [false, true]) {
          const call: Call = { sizes, by, a: ta ? turned(a, m, k) : a, b: tb ? bT : b, transposed: [ta, tb] };
          sameBits(product(call), expected, `${by} ${sizes} ${ta} ${tb}`);
        }
    });
  }
});

test('bias and activation are those of float32; a batch is its products one by one', () => {
  const sizes: Call['sizes'] = [34, 37, 41];
  const [m, n, k] = sizes;
  for (const by of units()) {
    const [a, b, bias] = [draw(3 * m * k, 1), draw(3 * k * n, 2), draw(n, 3)];
    const plain = product({ sizes, by, a, b });
    const expected = plain.map((value, i) => Math.max(0, Math.fround(value + bias[i % n]!)));
    assert.equal(product({ sizes, by, a, b, bias, relu: true }), expected);
    for (const mode of [1, 2, 3]) {
      const all = product({ sizes, by, a, b, batch: 3, mode });
      for (let i = 0; i < 3; i++) {
        const one = { a: mode === 3 ? a : a.subarray(i * m * k), b: mode === 2 ? b : b.subarray(i * k * n) };
        sameBits(all.subarray(i * m * n, (i + 1) * m * n), product({ sizes, by, ...one }), `${by}, mode ${mode}, ${i}`);
      }
    }
  }
});

test('operands that are packed part by part give the bits of the parts', () => {
  const { threads } = startAddon();
  // As many words as are packed at once (bfloat-gemm.cc), and some more; the model would take a minute.
  const [long, k] = [(2 ** 21 * Math.min(threads, 2)) / 32 + 500, 64];
  if (threads > 2) return;
  for (const by of units().filter((unit) => unit !== 'model')) {
    const [a, b] = [draw(long * k, 5), draw(k * 3, 6)];
    const half = long >> 1;
    const upper = product({ sizes: [half, 3, k], by, a, b });
    const lower = product({ sizes: [long - half, 3, k], by, a: a.subarray(half * k), b });
    const whole = product({ sizes: [long, 3, k], by, a, b });
    sameBits(whole.subarray(0, half * 3), upper, `${by}, upper half`);
    sameBits(whole.subarray(half * 3), lower, `${by}, lower half`);
    const across = product({ sizes: [3, long, k], by, a: turned(b, k, 3), b: a, transposed: [false, true] });
    sameBits(turned(across, 3, long), whole, `${by}, across`);
  }
});

test('never emulated unless the model is asked for; sizes that contradict the arrays are errors', () => {
  const sizes: Call['sizes'] = [33, 34, 35];
  const [a, b] = [draw(33 * 35, 7), draw(34 * 35, 8)];
  const { bfloat } = startAddon();
  if (bfloat === '') assert.throws(() => product({ sizes, by: 'best', a, b }), /this CPU has no such products/);
  else sameBits(product({ sizes, by: 'best', a, b }), product({ sizes, by: units()[1]!, a, b }), 'best');
  if (bfloat !== 'amx_bf16')
    assert.throws(() => product({ sizes, by: 'tiles', a, b }), /this CPU has no such products/);
  assert.throws(() => product({ sizes, by: 'model', a: a.subarray(1), b }), /too short/);
  assert.throws(() => product({ sizes, by: 'model', a, b: b.subarray(1) }), /too short/);
  assert.throws(() => product({ sizes, by: 'model', a, b, bias: new Float32Array(33) }), /too short/);
  assert.throws(() => product({ sizes: [33, 34, -1], by: 'model', a, b }), /size is missing or out of range/);
  assert.throws(() => product({ sizes: [2, 3, 0], by: 'model', a, b }), /nothing to sum/);
});

if (ready) test.run();
