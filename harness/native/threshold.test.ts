/** @file Kernels of thresholds, and sums by segment along an inner dimension, against compositions of tf operations. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { aboveThreshold } from '../num/ops/threshold.ts';
import { input, nativeReady, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native thresholds');

const run = (name: string, inputs: Record<string, tf.Tensor>, attrs: tf.NamedAttrMap = {}) =>
  [tf.engine().runKernel(name, inputs, attrs)].flat() as tf.Tensor[];
const tensorOf = (seed: number, shape: number[]) =>
  tf.tensor(input(source(seed), shape, 'float32', false, 2).values, shape, 'float32');
const numbers = (x: tf.Tensor) => Array.from(x.dataSync());
const above = (z: tf.Tensor, theta: tf.Tensor) => tf.cast(tf.greater(z, theta), 'float32');

test('jump, its gradients and the band are those of the operations, for every shape of thresholds', () => {
  if (!ready) return;
  tf.tidy(() => {
    const bandwidth = 0.7;
    for (const [seed, shape] of [[], [1], [37], [90, 37]].entries()) {
      const [z, dy] = [tensorOf(seed, [90, 37]), tensorOf(seed + 10, [90, 37])];
      const theta = tf.abs(tensorOf(seed + 20, shape));
      const near = tf.cast(tf.less(tf.abs(tf.sub(z, theta)), bandwidth / 2), 'float32');
      const expected = [tf.mul(z, above(z, theta)), tf.mul(dy, above(z, theta)), tf.mul(dy, near), near];
      const [dz, band] = run('SaxJumpGrad', { dy, z, theta }, { bandwidth });
      const [jump, plain] = [run('SaxJump', { z, theta })[0]!, run('SaxBand', { z, theta }, { bandwidth })[0]!];
      assert.equal([jump, dz!, band!, plain].map(numbers), expected.map(numbers), `thresholds [${shape}]`);
    }
  });
});

test('counts above thresholds, and near them, are those of the operations', () => {
  if (!ready) return;
  tf.tidy(() => {
    const bandwidth = 0.7;
    for (const [rows, columns] of [
      [1, 1],
      [7, 37],
      [90, 1100],
    ] as const) {
      const [z, theta] = [tensorOf(1, [rows, columns]), tf.abs(tensorOf(2, [columns]))];
      const near = tf.cast(tf.less(tf.abs(tf.sub(z, theta)), bandwidth / 2), 'float32');
      const found = run('SaxThresholdCounts', { z, theta }, { bandwidth });
      assert.equal(found.map(numbers), [tf.sum(above(z, theta)), tf.sum(near, 0)].map(numbers));
    }
  });
});

test('the gradient of a ReLU is that of the operations, odd numbers included, and has a gradient itself', () => {
  if (!ready) return;
  tf.tidy(() => {
    const odd = (seed: number) => tf.tensor(input(source(seed), [9, 41], 'float32', true).values, [9, 41], 'float32');
    const [dy, y] = [odd(1), odd(2)];
    const bits = (x: tf.Tensor) => Array.from(x.dataSync(), (value) => (Object.is(value, -0) ? '-0' : String(value)));
    assert.equal(bits(run('SaxReluGrad', { dy, y })[0]!), bits(tf.mul(dy, tf.step(y))));
    // x · ReLU(x)² has 6 x as its second derivative where x > 0.
    const once = tf.grad((x) => tf.sum(tf.mul(x, tf.square(tf.relu(x)))));
    assert.equal(numbers(tf.grad((x) => tf.sum(once(x)))(tf.tensor1d([-2, 0, 1, 3]))), [0, 0, 6, 18]);
  });
});

test('codes above a threshold are positive, keep NaN, and pass the gradient where they are above 0', () => {
  if (!ready) return;
  tf.tidy(() => {
    const z = tf.tensor2d([[-3, -1, 0.5, 2, Number.NaN, Number.POSITIVE_INFINITY]]);
    assert.equal(numbers(aboveThreshold(z, tf.scalar(1))), [0, 0, 0, 2, Number.NaN, Number.POSITIVE_INFINITY]);
    assert.equal(numbers(aboveThreshold(z, tf.scalar(-2))), [0, 0, 0.5, 2, Number.NaN, Number.POSITIVE_INFINITY]);
    const finite = tf.tensor2d([[-3, -1, 0.5, 2]]);
    const grad = tf.grad((x) => tf.sum(aboveThreshold(x as tf.Tensor2D, tf.tensor1d([-4, 0, 1, 1]))));
    assert.equal(numbers(grad(finite)), [0, 0, 0, 1]);
    assert.equal(aboveThreshold(tf.zeros([0, 4]), tf.zeros([4])).shape, [0, 4]);
  });
});

test('thresholds that fit no row are refused', () => {
  if (!ready) return;
  tf.tidy(() =>
    assert.throws(() => run('SaxJump', { z: tensorOf(1, [5, 4]), theta: tensorOf(2, [3]) }), /\[3\] do not/),
  );
});

test('sums by segment along an inner dimension, as the gradient of gathered columns', () => {
  if (!ready) return;
  tf.tidy(() => {
    const [x, dy] = [tensorOf(5, [6, 9, 2]), tensorOf(6, [6, 4, 2])];
    const ids = tf.tensor1d([8, 0, 3, 0], 'int32');
    const byRows = tf.transpose(tf.unsortedSegmentSum(tf.transpose(dy, [1, 0, 2]), ids, 9), [1, 0, 2]);
    const got = tf.grad((all) => tf.sum(tf.mul(tf.gather(all, ids, 1), dy)))(x);
    assert.equal(got.shape, x.shape);
    assert.equal(numbers(got), numbers(byRows));
    const [dropped] = run(
      'SaxSegmentSum',
      { x: dy, segmentIds: tf.tensor1d([-1, 9, 1, 1], 'int32') },
      { axis: 1, numSegments: 9 },
    );
    assert.equal(numbers(tf.sum(dropped!, 1)), numbers(tf.sum(tf.slice(dy, [0, 2, 0], [6, 2, 2]), 1)));
  });
});

test.run();
