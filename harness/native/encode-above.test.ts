/** @file SaxEncodeAbove and SaxEncodeBatchTopK against the product and a sort of all its entries. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, type Source, source, tf } from '../testing/against-cpu.ts';
import { startAddon } from './addon.ts';

const ready = await nativeReady();
const addon = startAddon();
const test = suite('native encode above and batch top k');

type Sizes = [n: number, d: number, features: number];
type Entry = [row: number, column: number, value: number];
type Value = (from: Source, row: number) => number;

/** Codes by a kernel as entries, and all pre-activations by the product, the bias added after it. */
function run(name: string, [n, d, features]: Sizes, attrs: Record<string, number>, value: Value, seed = 1, mode = 0) {
  const from = source(seed);
  const make = (rows: number, columns: number) =>
    Float32Array.from({ length: rows * columns }, (_, i) => value(from, Math.floor(i / columns)));
  tf.setBackend('native');
  addon.screening(Int32Array.of(mode, 0, 0, 0));
  const before = tf.memory().numTensors;
  const result = tf.tidy(() => {
    const x = tf.tensor2d(make(n, d), [n, d]);
    // Only x may differ by row.
    const plain = (rows: number, columns: number) =>
      Float32Array.from({ length: rows * columns }, () => value(from, 0));
    const [W_enc, bias] = [tf.tensor2d(plain(d, features), [d, features]), tf.tensor1d(plain(1, features))];
    const [values, indices] = tf.engine().runKernel(name, { x, W_enc, bias }, attrs) as [tf.Tensor2D, tf.Tensor2D];
    assert.equal(values.shape, indices.shape);
    assert.is(indices.dtype, 'int32');
    const pre = tf.add(tf.matMul(x, W_enc), bias).dataSync() as Float32Array;
    return { width: values.shape[1], values: values.dataSync(), indices: indices.dataSync(), pre };
  }) as unknown as { width: number; values: Float32Array; indices: Int32Array; pre: Float32Array };
  assert.is(tf.memory().numTensors, before);
  addon.screening(Int32Array.of(0, 0, 0, 0));
  const { width, values, indices, pre } = result;
  const found: Entry[] = [];
  for (let i = 0; i < n; i++) {
    let ended = false;
    for (let j = 0; j < width; j++) {
      const at = i * width + j;
      if (values[at] === 0) {
        ended = true;
        assert.is(indices[at], 0, 'padding');
        continue;
      }
      assert.not(ended, 'nothing follows the padding');
      found.push([i, indices[at]!, values[at]!]);
    }
  }
  const positive: Entry[] = [];
  pre.forEach((z, at) => {
    if (z > 0) positive.push([Math.floor(at / features), at % features, z]);
  });
  return { width, found, positive };
}

/** Largest first; equal ones by row, then by column. */
const best = (entries: Entry[], count: number): Entry[] =>
  [...entries]
    .sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1])
    .slice(0, count)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);

/** Entry by entry: a deep comparison of so many takes seconds. */
function same(found: Entry[], expected: Entry[], label: string): void {
  assert.is(found.length, expected.length, label);
  const bad = found.findIndex((entry, i) => entry.some((part, j) => part !== expected[i]![j]));
  if (bad >= 0) assert.equal(found[bad], expected[bad], `${label}, entry ${bad}`);
}

const widest = (entries: Entry[], n: number) => {
  const counts = new Array<number>(n).fill(0);
  for (const [row] of entries) counts[row]!++;
  return Math.max(1, ...counts);
};

const whole: Value = (from) => from.int(7) - 3;
const real: Value = (from) => from.real();
const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-40];
const hostile: Value = (from) => odd[from.int(40)] ?? from.int(4) - 2;

/** A few rows that bounds cannot be had for. */
const wildRows: Value = (from, row) => (row % 9 === 4 && from.int(5) === 0 ? odd[from.int(2)]! : from.real());

const SIZES: Sizes[] = [
  [1, 1, 1],
  [5, 3, 33],
  [97, 2, 1025],
  [200, 4, 300],
  [130, 5, 1100],
];

for (const [name, value] of Object.entries({ 'whole numbers with many ties': whole, 'real numbers': real, hostile })) {
  test(`all entries above 0: ${name}`, () => {
    for (const size of SIZES) {
      const [n, , features] = size;
      const { found, positive, width } = run('SaxEncodeAbove', size, { limit: n * features }, value, n);
      same(found, positive, `${size}`);
      assert.is(width, widest(positive, n));
    }
  });

  test(`the largest of a batch: ${name}`, () => {
    for (const size of SIZES) {
      const [n, , features] = size;
      const counts = n * features < 5000 ? [1, n, n * features] : [Math.floor(2.5 * n)];
      for (const count of counts.filter((each) => each <= n * features)) {
        const { found, positive, width } = run('SaxEncodeBatchTopK', size, { count }, value, n);
        same(found, best(positive, count), `${size}, ${count}`);
        assert.is(width, widest(found, n));
      }
    }
  });
}

test('screening in bfloat16, where the CPU can: the same entries', () => {
  const SCREENED = 2;
  for (const value of [whole, real, wildRows]) {
    for (const size of [
      [70, 33, 600],
      [2060, 17, 40],
      [40, 300, 1100],
    ] as Sizes[]) {
      const [n, , features] = size;
      const above = run('SaxEncodeAbove', size, { limit: n * features }, value, n, SCREENED);
      same(above.found, above.positive, `${size}`);
      const { found, positive } = run('SaxEncodeBatchTopK', size, { count: 3 * n }, value, n, SCREENED);
      same(found, best(positive, 3 * n), `${size}`);
    }
  }
});

test('rows that no sample of the batch stands for', () => {
  const size: Sizes = [400, 4, 300];
  // The rows that the kernel looks at first, loud among silent ones and silent among loud ones.
  const looked = new Set(Array.from({ length: 32 }, (_, i) => Math.floor((i * 400) / 32)));
  for (const loud of [true, false]) {
    const value: Value = (from, row) => from.real() * (looked.has(row) === loud ? 100 : 0.01);
    for (const count of [40, 400, 4000]) {
      const { found, positive } = run('SaxEncodeBatchTopK', size, { count }, value, 3);
      same(found, best(positive, count), `${loud}, ${count}`);
    }
  }
});

test('more than the limit give no columns; no rows and a count of 0 give no codes', () => {
  assert.is(run('SaxEncodeAbove', [200, 4, 300], { limit: 100 }, real).width, 0);
  assert.equal(run('SaxEncodeAbove', [0, 4, 30], { limit: 0 }, real).found, []);
  assert.equal(run('SaxEncodeAbove', [3, 4, 30], { limit: 90 }, () => -1 / 8).found.length, 0);
  assert.equal(run('SaxEncodeBatchTopK', [0, 4, 30], { count: 0 }, real).found, []);
  assert.equal(run('SaxEncodeBatchTopK', [3, 4, 30], { count: 0 }, real).found, []);
  assert.throws(() => run('SaxEncodeBatchTopK', [3, 4, 30], { count: 91 }, real), /out of range/);
});

if (ready) test.run();
