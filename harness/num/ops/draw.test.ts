/** @file Draws by weight and ln Σ exp of rows, on every backend, against their definitions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { checkGradient } from '../finite-difference.ts';
import { createRng } from '../rng.ts';
import { type Tensor2D, tf } from '../tf.ts';
import { drawIndex, drawRows } from './draw.ts';
import { rowLogSumExp } from './log-sum-exp.ts';

const test = suite('num/ops/draw');
const backends = await testBackends();

test('an index by its weight, those without weight never; the last positive one when nothing is left', () => {
  const weights = Float32Array.of(0, 1, 0, 3, 0);
  assert.equal(
    [0, 0.249, 0.25, 0.999].map((u) => drawIndex(weights, u)),
    [1, 1, 3, 3],
  );
  assert.is(drawIndex(weights, 1), 3, 'rounding up to 1');
  assert.is(drawIndex(weights, 0.5, Int32Array.of(4, 1)), 1);
});

for (const backend of backends) {
  test(`${backend}: rows are drawn as one by one, to the bit`, async () => {
    await initBackend(backend);
    const rng = createRng('rows');
    for (const [rows, n] of [
      [1, 1],
      [7, 5],
      [8, 33],
      [53, 1024],
      [0, 4],
    ] as const) {
      const weights = rng.fillUniform(new Float32Array(rows * n));
      for (let i = 0; i < weights.length; i += 3) weights[i] = 0;
      if (rows > 6 && n > 4) {
        weights[2 * n + 4] = Number.NaN;
        weights.fill(0, 4 * n, 5 * n);
        weights[6 * n + 1] = Number.POSITIVE_INFINITY;
      }
      const u = Float64Array.from({ length: rows }, () => rng.uniform());
      const expected = [...u].map((each, row) => drawIndex(weights.subarray(row * n, (row + 1) * n), each));
      const before = tf.memory().numTensors;
      const tensor = tf.tensor2d(weights, [rows, n]);
      assert.equal([...drawRows(tensor, u)], expected, `${rows} x ${n}`);
      tensor.dispose();
      assert.is(tf.memory().numTensors, before);
    }
    assert.throws(() => tf.tidy(() => drawRows(tf.zeros([2, 3]), new Float64Array(1))), /2 rows of weights, 1/);
  });

  test(`${backend}: ln Σ exp of rows and its gradient; infinity and NaN stay in their rows`, async () => {
    await initBackend(backend);
    const values = [1, 2, 3, 100, 90, 95.5, -1000, -1001, -1002];
    const reference = (x: number[]) =>
      [0, 1, 2].map((row) => {
        const own = x.slice(3 * row, 3 * row + 3);
        const top = Math.max(...own);
        return top + Math.log(own.reduce((sum, value) => sum + Math.exp(value - top), 0));
      });
    tf.tidy(() => allclose(rowLogSumExp(tf.tensor2d(values, [3, 3])).dataSync(), reference(values)));
    const near = { shape: [3, 3], values: [0.3, -1, 0.5, 2, 1.5, 0, -0.2, 0.1, 0] };
    checkGradient(
      (x) => tf.sum(tf.mul(rowLogSumExp(x as Tensor2D), [1, -2, 0.5])),
      (x) => reference(x).reduce((sum, value, i) => sum + value * [1, -2, 0.5][i]!, 0),
      [near],
    );
    const hostile = tf.tidy(() => {
      const [never, inf] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      return rowLogSumExp(
        tf.tensor2d([
          [0, never],
          [1, Number.NaN],
          [0, 0],
          [inf, 0],
        ]),
      ).dataSync();
    });
    assert.is(hostile[0], 0);
    assert.ok(Number.isNaN(hostile[1]));
    allclose([hostile[2]!], [Math.LN2]);
    assert.ok(!Number.isFinite(hostile[3]));
  });
}

test.run();
