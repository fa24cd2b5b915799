/** @file The kernels on plain arrays against loops over every number, on clean and on hostile input. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../num/allclose.ts';
import { denseFeatures } from '../num/features.ts';
import { setStatisticsKernels, statisticsKernels } from '../num/kernels/statistics.ts';
import { fitLogistic } from '../num/logistic.ts';
import { nativeReady, source } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native statistics kernels');
const kernels = statisticsKernels!;

/** Random bounds of items in `rows` rows; some items are empty. */
function boundsOf(seed: number, items: number, largest: number): Uint32Array {
  const from = source(seed);
  const bounds = new Uint32Array(items + 1);
  for (let i = 0; i < items; i++) bounds[i + 1] = bounds[i]! + (from.int(5) === 0 ? 0 : 1 + from.int(largest));
  return bounds;
}

test('pooled rows: extremes, counts of non-zeros, items without rows', () => {
  for (const [items, width, largest] of [
    [0, 3, 1],
    [1, 1, 1],
    [7, 5, 9],
    [40, 64, 3],
    [9, 131, 70],
    [300, 257, 4],
  ] as const) {
    const from = source(items + width);
    const bounds = boundsOf(width, items, largest);
    const x = Float32Array.from({ length: bounds[items]! * width }, () => (from.int(3) === 0 ? from.real() : 0));
    const [max, min] = [new Float32Array(items * width).fill(7), new Float32Array(items * width).fill(7)];
    const counts = new Int32Array(2 * items).fill(7);
    kernels.poolRows(max, min, counts, x, bounds, width);
    const alone = new Float32Array(items * width);
    kernels.poolRows(alone, new Float32Array(0), new Int32Array(2 * items), x, bounds, width);
    assert.equal(alone, max);
    for (let i = 0; i < items; i++) {
      const rows = Array.from({ length: bounds[i + 1]! - bounds[i]! }, (_, r) =>
        x.subarray((bounds[i]! + r) * width, (bounds[i]! + r + 1) * width),
      );
      for (let j = 0; j < width; j++) {
        const column = rows.map((row) => row[j]!);
        assert.is(max[i * width + j], column.length === 0 ? 0 : Math.max(...column));
        assert.is(min[i * width + j], column.length === 0 ? 0 : Math.min(...column));
      }
      assert.is(
        counts[2 * i],
        rows.reduce((sum, row) => sum + row.filter((value) => value !== 0).length, 0),
      );
      assert.is(counts[2 * i + 1], 0);
    }
  }
});

test('pooled rows: a value that is not finite is told, wherever it stands', () => {
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    for (const at of [0, 63, 64, 130, 131, 131 * 5 + 17]) {
      const x = new Float32Array(131 * 6).fill(1);
      x[at] = bad;
      const counts = new Int32Array(4);
      kernels.poolRows(new Float32Array(262), new Float32Array(262), counts, x, Uint32Array.of(0, 1, 6), 131);
      assert.equal([counts[1], counts[3]], at < 131 ? [1, 0] : [0, 1]);
    }
  }
});

test('lengths of weighted sums equal those in float64', () => {
  for (const [n, dim, lists] of [
    [1, 1, 0],
    [5, 3, 4],
    [40, 16, 9],
    [200, 67, 30],
  ] as const) {
    const from = source(n + dim);
    const rows = Float32Array.from({ length: n * dim }, () => from.real());
    const shift = Float64Array.from({ length: dim }, () => from.real());
    const starts = boundsOf(dim, lists, 20);
    const items = Uint32Array.from({ length: starts[lists]! }, () => from.int(n));
    const values = Float32Array.from(items, () => from.real());
    const offsets = Float64Array.from({ length: lists }, () => from.real());
    const found = kernels.sumLengths({ starts, items, values, offsets }, rows, shift);
    assert.is(found.length, lists);
    found.forEach((squared, f) => {
      let expected = 0;
      for (let c = 0; c < dim; c++) {
        let sum = 0;
        for (let j = starts[f]!; j < starts[f + 1]!; j++) sum += values[j]! * rows[items[j]! * dim + c]!;
        expected += (sum - offsets[f]! * shift[c]!) ** 2;
      }
      assert.ok(Math.abs(squared - expected) <= 1e-13 * Math.max(1, expected), `${f}: ${squared} and ${expected}`);
    });
  }
});

test('products of a linear model equal those in float64, from both sides', () => {
  for (const [rows, cols] of [
    [0, 3],
    [1, 1],
    [3, 0],
    [5, 7],
    [4, 16],
    [130, 67],
  ] as const) {
    const from = source(rows + cols);
    const many = (length: number) => Float64Array.from({ length }, () => from.real());
    const x = Float32Array.from({ length: rows * cols }, () => from.real());
    const [v, r, shift] = [many(cols), many(rows), from.real()];
    const close = (found: ArrayLike<number>, expected: number[], label: string) => {
      assert.is(found.length, expected.length);
      expected.forEach((value, i) => {
        assert.ok(Math.abs(found[i]! - value) <= 1e-13 * (1 + rows + cols), `${label} ${i}: ${found[i]} and ${value}`);
      });
    };
    const dots = Array.from(r, (_, i) => v.reduce((sum, value, j) => sum + value * x[i * cols + j]!, 0));
    const back = (by: ArrayLike<number>) =>
      Array.from(v, (_, j) => r.reduce((sum, __, i) => sum + by[i]! * x[i * cols + j]!, 0));
    // Whatever stood there before is written over.
    const out = many(rows);
    kernels.matrixTimes(x, v, out);
    close(out, dots, 'X v');
    const sums = many(cols);
    kernels.transposeTimes(x, r, sums);
    close(sums, back(r), 'Xᵀ r');
    const curved = many(cols + 1);
    kernels.curvatureTimes(x, v, shift, r, curved);
    const by = dots.map((value, i) => r[i]! * (value + shift));
    close(curved, [...back(by), by.reduce((sum, value) => sum + value, 0)], 'curvature');
  }
  const infinite = new Float64Array(1);
  kernels.matrixTimes(Float32Array.of(Infinity, 1), Float64Array.of(0, 1), infinite);
  assert.ok(Number.isNaN(infinite[0]));
  assert.throws(() => kernels.matrixTimes(new Float32Array(5), new Float64Array(3), new Float64Array(2)), /too short/);
  assert.throws(
    () => kernels.transposeTimes(new Float32Array(5), new Float64Array(3), new Float64Array(2)),
    /too short/,
  );
  const weights = new Float64Array(2);
  assert.throws(
    () => kernels.curvatureTimes(new Float32Array(6), new Float64Array(3), 0, weights, weights),
    /too short/,
  );
});

test('outer products, Cholesky factors and solutions equal those of plain loops', () => {
  for (const n of [0, 1, 2, 3, 4, 5, 8, 17, 33, 67]) {
    const from = source(n);
    const rows = 2 * n + 65;
    const x = Float32Array.from({ length: rows * n }, () => from.real());
    const mean = Float64Array.from({ length: n }, () => from.real());
    const sums = kernels.outerSums(x, mean);
    assert.is(sums.length, n * n);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) {
        let expected = 0;
        for (let r = 0; r < rows; r++) expected += (x[r * n + a]! - mean[a]!) * (x[r * n + b]! - mean[b]!);
        assert.ok(Math.abs(sums[a * n + b]! - expected) <= 1e-12 * rows, `sum ${a}, ${b} of ${n}`);
      }
    }
    // The upper triangle is not read, and what stood in the result is written over.
    const lower = sums.map((value, i) => (i % n > Math.floor(i / n) ? Number.NaN : value));
    const L = new Float64Array(n * n).fill(7);
    assert.is(kernels.cholesky(lower, L), -1);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) {
        let product = 0;
        for (let k = 0; k <= Math.min(a, b); k++) product += L[a * n + k]! * L[b * n + k]!;
        assert.ok(Math.abs(product - sums[a * n + b]!) <= 1e-12 * rows, `L Lᵀ ${a}, ${b} of ${n}`);
        if (b > a) assert.is(L[a * n + b], 0);
      }
    }
    const b = Float64Array.from({ length: n }, () => from.real());
    const solution = b.slice();
    kernels.choleskySolve(L, solution);
    for (let a = 0; a < n; a++) {
      const product = solution.reduce((sum, value, k) => sum + value * sums[a * n + k]!, 0);
      assert.ok(Math.abs(product - b[a]!) <= 1e-8, `row ${a} of the solution of ${n}`);
    }
    // The first row at fault is named, wherever it lies in a block.
    for (const bad of [0, n >> 1, n - 1].filter((row) => row >= 0 && row < n)) {
      for (const value of [0, -1, Number.NaN]) {
        const broken = sums.slice();
        broken[bad * n + bad] = value;
        assert.is(kernels.cholesky(broken, L), bad);
      }
    }
  }
  const nine = new Float64Array(9);
  assert.is(kernels.outerSums(Float32Array.of(Infinity, 1), new Float64Array(2))[0], Infinity);
  assert.throws(() => kernels.cholesky(new Float64Array(8), nine), /too short/);
  assert.throws(() => kernels.choleskySolve(new Float64Array(8), new Float64Array(3)), /too short/);
});

test('sums of rows and of codes equal those in float64', () => {
  for (const [rows, n] of [
    [0, 4],
    [1, 1],
    [5, 7],
    [70, 96],
    [3, 131],
  ] as const) {
    const from = source(rows + n);
    const some = () => Float32Array.from({ length: rows * n }, () => (from.int(2) === 0 ? from.real() : 0));
    const [x, y, mean] = [some(), some(), Float64Array.from({ length: n }, () => from.real())];
    const [both, alone, counted] = [new Float64Array(5 * rows), new Float64Array(5 * rows), new Float64Array(2 * rows)];
    const fires = new Int32Array(n).fill(3);
    kernels.compareRows(x, y, mean, both);
    kernels.compareRows(x, new Float32Array(0), mean, alone);
    kernels.countCodes(x, fires, counted);
    for (let r = 0; r < rows; r++) {
      const sum = (f: (a: number, b: number, j: number) => number) =>
        mean.reduce((total, _, j) => total + f(x[r * n + j]!, y[r * n + j]!, j), 0);
      const own = [sum((a) => a * a), sum((a, _, j) => (a - mean[j]!) ** 2)];
      const compared = [sum((a, b) => (a - b) ** 2), sum((_, b) => b * b), sum((a, b) => a * b)];
      const near = { rtol: 1e-13, atol: 1e-13 };
      allclose(both.subarray(5 * r, 5 * r + 5), [...own, ...compared], near);
      allclose(alone.subarray(5 * r, 5 * r + 5), [...own, 0, 0, 0], near);
      allclose(counted.subarray(2 * r, 2 * r + 2), [sum((a) => (a === 0 ? 0 : 1)), sum((a) => Math.abs(a))], near);
    }
    fires.forEach((count, j) => {
      let expected = 3;
      for (let r = 0; r < rows; r++) if (x[r * n + j] !== 0) expected++;
      assert.is(count, expected);
    });
  }
  const hostile = new Float64Array(4);
  kernels.countCodes(Float32Array.of(Number.NaN, 0, 1, -Infinity), new Int32Array(2), hostile);
  assert.equal([...hostile], [1, Number.NaN, 2, Infinity]);
  const short = new Float32Array(5);
  assert.throws(() => kernels.compareRows(short, short, new Float64Array(3), new Float64Array(10)), /too short/);
  assert.throws(
    () => kernels.compareRows(new Float32Array(6), short, new Float64Array(3), new Float64Array(10)),
    /short/,
  );
  assert.throws(() => kernels.countCodes(short, new Int32Array(3), hostile), /too short/);
});

test('a logistic regression with the kernels is the one without', () => {
  const from = source(3);
  const [rows, cols] = [61, 9];
  const x = Float32Array.from({ length: rows * cols }, () => from.real());
  const labels = Array.from({ length: rows }, (_, i) => (x[i * cols]! + from.real() > 0 ? 1 : 0));
  const fit = () => fitLogistic(denseFeatures(x, rows, cols), labels);
  const withKernels = fit();
  setStatisticsKernels(undefined);
  const without = fit();
  setStatisticsKernels(kernels);
  assert.ok(withKernels.converged && without.converged);
  allclose(withKernels.weights, without.weights, { rtol: 1e-7, atol: 1e-8 });
});

test('bounds and items outside their arrays are errors, and numbers that are not finite stay what they are', () => {
  const pool = (bounds: number[], values = 8) =>
    kernels.poolRows(
      new Float32Array(8),
      new Float32Array(8),
      new Int32Array(4),
      new Float32Array(values),
      Uint32Array.from(bounds),
      4,
    );
  assert.throws(() => pool([0, 2, 3]), /do not ascend/);
  assert.throws(() => pool([0, 2, 1]), /do not ascend/);
  assert.throws(() => pool([0, 1, 2 ** 31 + 5]), /do not ascend/);
  assert.throws(() => pool([0, 1, 1, 2]), /too short/);
  const [rows, shift, offsets] = [Float32Array.of(1, 2, 3, 4), Float64Array.of(0, 0), Float64Array.of(0)];
  const lengths = (starts: number[], items: number[], values: number[]) =>
    kernels.sumLengths(
      { starts: Uint32Array.from(starts), items: Uint32Array.from(items), values: Float32Array.from(values), offsets },
      rows,
      shift,
    );
  assert.equal([...lengths([0, 2], [0, 1], [1, 2])], [149]);
  assert.equal([...lengths([0, 1], [0], [Infinity])], [Infinity]);
  assert.ok(Number.isNaN(lengths([0, 1], [0], [Number.NaN])[0]));
  assert.throws(() => lengths([0, 3], [0, 1], [1, 2]), /do not ascend/);
  assert.throws(() => lengths([0, 2], [0, 2], [1, 2]), /out of range/);
  assert.throws(() => lengths([0, 2], [0, 2 ** 32 - 1], [1, 2]), /out of range/);
  assert.throws(() => lengths([0, 2], [0, 1], [1]), /too short/);
});

if (ready) test.run();
