/** @file SaxSquaredErrors, its gradient and SaxFiring against sums in float64 and counts by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { input, nativeReady, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native batch errors');

const close = (actual: number, expected: number, label: string) =>
  assert.ok(Math.abs(actual - expected) <= 2e-6 * Math.max(1, Math.abs(expected)), `${label}: ${actual}, ${expected}`);

test('squared errors, distances from the mean row, and the gradient', () => {
  tf.setBackend('native');
  const before = tf.memory().numTensors;
  for (const [n, d] of [
    [1, 1],
    [3, 5],
    [128, 16],
    [129, 33],
    [700, 130],
  ] as const) {
    tf.tidy(() => {
      const make = (seed: number) => tf.tensor2d(input(source(seed), [n, d]).values as Float32Array, [n, d]);
      const [target, reconstruction] = [make(n), make(d + 1)];
      const [y, guess] = [target.dataSync(), reconstruction.dataSync()];
      const mean = Array.from({ length: d }, (_, j) => {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += y[i * d + j]!;
        return sum / n;
      });
      let [residual, variance] = [0, 0];
      y.forEach((value, at) => {
        residual += (value - guess[at]!) ** 2;
        variance += (value - mean[at % d]!) ** 2;
      });
      const run = (name: string, inputs: tf.NamedTensorMap, attrs = {}) =>
        (tf.engine().runKernel(name, inputs, attrs) as tf.Tensor).dataSync();
      const both = run('SaxSquaredErrors', { target, reconstruction }, { variance: true });
      close(both[0]!, residual, `residual ${n} ${d}`);
      close(both[1]!, variance, `variance ${n} ${d}`);
      const alone = run('SaxSquaredErrors', { target, reconstruction });
      assert.equal([alone.length, alone[0]], [1, both[0]]);
      const gradient = run('SaxSquaredErrorGrad', { target, reconstruction, dy: tf.scalar(0.25) });
      gradient.forEach((value, at) => {
        close(value, 0.5 * (guess[at]! - y[at]!), 'gradient');
      });
    });
  }
  assert.is(tf.memory().numTensors, before);
});

test('NaN and infinities reach the sums; no rows give 0', () => {
  tf.tidy(() => {
    const errors = (y: number[][], guess: number[][]) => {
      const [target, reconstruction] = [y, guess].map((rows) => tf.tensor2d(rows));
      const inputs = { target: target!, reconstruction: reconstruction! };
      return Array.from(
        (tf.engine().runKernel('SaxSquaredErrors', inputs, { variance: true }) as tf.Tensor).dataSync(),
      );
    };
    assert.equal(errors([[1, 2]], [[1, Number.NaN]]), [Number.NaN, 0]);
    assert.equal(errors([[1, 2]], [[1, Number.NEGATIVE_INFINITY]]), [Number.POSITIVE_INFINITY, 0]);
    const none = { target: tf.zeros([0, 3]), reconstruction: tf.zeros([0, 3]) };
    assert.is((tf.engine().runKernel('SaxSquaredErrors', none, {}) as tf.Tensor).dataSync()[0], 0);
  });
});

test('firing: columns with a number other than 0, NaN among them, and how many there are', () => {
  for (const [n, features] of [
    [0, 3],
    [1, 1],
    [7, 5],
    [40, 2050],
  ] as const) {
    tf.tidy(() => {
      const from = source(features);
      const values = Float32Array.from({ length: n * features }, () => [0, -0, 0, Number.NaN, 2, 0][from.int(6)]!);
      for (let i = 0; i < n; i++) values[i * features] = 0;
      const codes = tf.tensor2d(values, [n, features]);
      const [fired, count] = tf.engine().runKernel('SaxFiring', { codes }) as tf.Tensor[];
      const expected = new Uint8Array(features);
      let active = 0;
      values.forEach((value, at) => {
        if (value === 0) return;
        active++;
        expected[at % features] = 1;
      });
      assert.equal(Array.from(fired!.dataSync()), Array.from(expected));
      assert.equal(Array.from(count!.dataSync()), [active, 0]);
    });
  }
});

if (ready) test.run();
