/**
 * @file Screening in bfloat16 of KronSAE's encoder (SaxKronEncode where the CPU has AVX512-BF16) against the float32 kernel: the same
 * bits, on inputs made to break its bound, and that of the two products by themselves.
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
const test = suite('native kron screening');

const LEAST = 1e-6;

interface Sizes {
  n: number;
  d: number;
  heads: number;
  m: number;
  width: number;
  k: number;
}
interface Problem {
  sizes: Sizes;
  x: Float32Array;
  base: Float32Array;
  extension: Float32Array;
  among: Float32Array;
}

function problemOf(sizes: Sizes, seed: number, { x, W }: { x: Value; W: Value }, masked = false): Problem {
  const { n, d, heads, m, width } = sizes;
  const from = source(seed);
  return {
    sizes,
    x: matrixOf(from, n, d, x),
    base: matrixOf(from, d, heads * m, W),
    extension: matrixOf(from, d, heads * width, W),
    among: masked ? matrixOf(from, 1, heads * m * width, (f) => f.int(2)) : new Float32Array(0),
  };
}

function encode({ sizes, x, base, extension, among }: Problem, served: Served) {
  const addon = startAddon();
  const { n, d, heads, m, width, k } = sizes;
  const [values, ratios] = [new Float32Array(n * k), new Float32Array(n * k)];
  const indices = new Int32Array(n * k);
  const done = withScreening(addon, served, () => {
    addon.params.set([n, d, heads, m, width, k, LEAST]);
    addon.kronEncode(values, ratios, indices, x, base, extension, among);
  });
  return { values, ratios, indices, ...done };
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.prototype.findIndex.call(a, (value: number, i: number) => !Object.is(value, b[i]));

/** Runs both and compares all bits; returns what screening did. */
function compare(label: string, problem: Problem, by: Served): { screened: number; left: number } {
  const [expected, got] = [encode(problem, 'float32'), encode(problem, by)];
  assert.is(expected.screened, 0);
  for (const part of ['indices', 'values', 'ratios'] as const) {
    const bad = same(expected[part], got[part]);
    if (bad >= 0)
      assert.unreachable(`${label}, ${part} ${bad}: expected ${expected[part][bad]}, got ${got[part][bad]}`);
  }
  return got;
}

const SIZES: Sizes[] = [
  { n: 13, d: 64, heads: 64, m: 2, width: 4, k: 4 },
  { n: 50, d: 65, heads: 37, m: 3, width: 7, k: 1 },
  { n: 100, d: 257, heads: 150, m: 4, width: 8, k: 16 },
  { n: 25, d: 530, heads: 200, m: 1, width: 5, k: 32 },
  { n: 2060, d: 17, heads: 20, m: 2, width: 4, k: 3 },
];

for (const [rank, by] of (ready ? screeningProducts(startAddon()) : []).entries())
  for (const [kind, value, settles] of SCREENING_KINDS) {
    test(`${kind}, by ${by}: the bits of the float32 kernel`, () => {
      SIZES.slice(0, rank === 0 ? SIZES.length : 2).forEach((sizes, seed) => {
        for (const masked of [false, true]) {
          const problem = problemOf(sizes, seed + 1, value, masked);
          const label = `${kind} ${JSON.stringify(sizes)}`;
          const { screened, left } = compare(label, problem, by);
          assert.is(screened, sizes.n);
          if (settles) assert.ok(left < sizes.n / 4, `${label}: ${left} rows left to float32`);
        }
      });
    });
  }

test('rows of which no latent is above 0 are left to float32', () => {
  const sizes = { n: 30, d: 40, heads: 80, m: 2, width: 4, k: 8 };
  const problem = problemOf(sizes, 5, { x: real, W: real });
  for (let i = 0; i < 3; i++) problem.x.fill(0, i * sizes.d, (i + 1) * sizes.d);
  const { screened, left } = compare('few', problem, 'best');
  if (screened > 0) assert.is(left, 3);
});

test('the factors are those of products by themselves, the roots those of their products', () => {
  const sizes = { n: 9, d: 33, heads: 11, m: 2, width: 3, k: 5 };
  const { x, base, extension, ...problem } = problemOf(sizes, 8, { x: real, W: real });
  const { values, ratios, indices } = encode({ x, base, extension, ...problem }, 'float32');
  const factor = (W: Float32Array, columns: number, row: number, column: number) =>
    Array.from({ length: sizes.d }, (_, i) => x[row * sizes.d + i]! * W[i * columns + column]!).reduce((a, b) => a + b);
  for (let row = 0; row < sizes.n; row++) {
    const latents = Array.from({ length: 66 }, (_, latent) => {
      const u = factor(base, 22, row, Math.floor(latent / 3));
      const v = factor(extension, 33, row, Math.floor(latent / 6) * 3 + (latent % 3));
      return { latent, u, v, value: u > 0 && v > 0 ? Math.sqrt(u * v) : 0 };
    }).sort((a, b) => b.value - a.value);
    for (let q = 0; q < sizes.k; q++) {
      const at = row * sizes.k + q;
      const { latent, u, v, value } = latents[q]!;
      assert.is(indices[at], latent);
      assert.ok(Math.abs(values[at]! - value) < 1e-5 && Math.abs(ratios[at]! - Math.sqrt(u / v)) < 1e-3 * ratios[at]!);
    }
  }
});

if (ready) test.run();
