/** @file Native reductions, cumulative sums, softmax and top-k against tfjs's CPU backend. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { input, nativeReady, sameAsCpu, shapeOf, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native reductions');

/** Random subsets of the axes of a shape. */
function axesOf(seed: number, rank: number): number[] | undefined {
  const from = source(seed);
  if (from.int(5) === 0) return undefined;
  return Array.from({ length: rank }, (_, axis) => axis).filter(() => from.int(2) === 0);
}

const floats = { sum: tf.sum, mean: tf.mean, prod: tf.prod, max: tf.max, min: tf.min };

test('over random axes, with and without keepDims', () => {
  for (let seed = 0; seed < 60; seed++) {
    const from = source(seed);
    const shape = shapeOf(from, from.int(7), 5);
    const axes = axesOf(seed, shape.length);
    const keep = seed % 2 === 0;
    const float = input(from, shape, 'float32', seed % 3 === 0);
    const size = shape.reduce((a, b) => a * b, 1);
    for (const [name, run] of Object.entries(floats)) {
      sameAsCpu(name, [float], (x) => run(x!, axes, keep), 2e-6, name === 'prod' ? 1e-30 : Math.sqrt(size));
      if (name !== 'prod') sameAsCpu(name, [input(from, shape, 'int32')], (x) => run(x!, axes, keep), 1e-5, 1);
    }
    const truth = input(from, shape, 'bool');
    sameAsCpu('all', [truth], (x) => tf.all(x!, axes, keep));
    sameAsCpu('any', [truth], (x) => tf.any(x!, axes, keep));
    sameAsCpu('sum of bool', [truth], (x) => tf.sum(x!, axes, keep));
  }
});

test('over empty tensors', () => {
  for (const shape of [[0], [3, 0], [0, 4], [2, 0, 3]]) {
    for (const axis of [undefined, 0, shape.length - 1]) {
      const x = input(source(1), shape);
      sameAsCpu('sum', [x], (t) => tf.sum(t!, axis));
      sameAsCpu('mean', [x], (t) => tf.mean(t!, axis));
      sameAsCpu('prod', [x], (t) => tf.prod(t!, axis));
    }
  }
});

test('over long rows and columns, split over threads', () => {
  for (const shape of [[200003], [3, 90001], [90001, 3], [1500, 700], [2, 3000, 65]]) {
    for (const axis of shape.keys()) {
      const x = input(source(shape.length + axis), shape);
      sameAsCpu('sum', [x], (t) => tf.sum(t!, axis), 1e-6, 1);
      sameAsCpu('max', [x], (t) => tf.max(t!, axis));
      sameAsCpu('argMax', [x], (t) => tf.argMax(t!, axis));
    }
  }
});

test('sums keep what float32 addition would lose', () => {
  tf.setBackend('native');
  const n = 1 << 20;
  const sum = tf.tidy(() => tf.sum(tf.concat([tf.fill([1], 2 ** 24), tf.ones([n])])).dataSync()[0]);
  assert.is(sum, 2 ** 24 + n);
});

test('argMax and argMin take the first of equals, NaN as the CPU backend does', () => {
  for (let seed = 0; seed < 30; seed++) {
    const from = source(seed);
    const shape = shapeOf(from, 1 + from.int(4), 9);
    const axis = from.int(shape.length);
    for (const x of [
      input(from, shape, 'int32'),
      input(from, shape, 'float32', true),
      input(from, [3, 200], 'int32'),
    ]) {
      sameAsCpu('argMax', [x], (t) => tf.argMax(t!, Math.min(axis, x.shape.length - 1)));
      sameAsCpu('argMin', [x], (t) => tf.argMin(t!, Math.min(axis, x.shape.length - 1)));
    }
  }
});

test('cumulative sums', () => {
  for (let seed = 0; seed < 24; seed++) {
    const from = source(seed);
    const shape = shapeOf(from, 1 + from.int(4), 6);
    const axis = from.int(shape.length);
    const run = (t: tf.Tensor) => tf.cumsum(t, axis, seed % 2 === 0, seed % 3 === 0);
    sameAsCpu('cumsum', [input(from, shape)], run as never, 1e-6, 4);
    sameAsCpu('cumsum', [input(from, shape, 'int32')], run as never);
  }
});

test('softmax and logSoftmax, extreme logits included', () => {
  for (const shape of [[5], [3, 1], [4, 17], [2, 3, 64], [70, 1000]]) {
    for (const scale of [1, 100]) {
      const x = input(source(scale), shape, 'float32', false, scale);
      sameAsCpu('softmax', [x], (t) => tf.softmax(t!), 1e-5, 1e-6);
      sameAsCpu('logSoftmax', [x], (t) => tf.logSoftmax(t!), 1e-6, scale);
    }
  }
  const masked = { shape: [2, 3], values: Float32Array.from([0, Number.NEGATIVE_INFINITY, 1, Number.NaN, 0, 1]) };
  sameAsCpu('softmax of masked and NaN', [masked], (t) => tf.softmax(t!), 1e-6);
});

test('top k: values, indices, ties by lower index', () => {
  for (const [shape, k] of [
    [[10], 3],
    [[4, 7], 7],
    [[3, 5], 1],
    [[2, 3, 300], 20],
    [[5, 4000], 32],
  ] as [number[], number][]) {
    for (const dtype of ['float32', 'int32'] as const) {
      const x = input(source(k), shape, dtype);
      sameAsCpu('topk', [x], (t) => {
        const { values, indices } = tf.topk(t!, k);
        return [values, indices];
      });
    }
  }
});

test('top k puts NaN last and infinities in order', () => {
  tf.setBackend('native');
  const got = tf.tidy(() => {
    const { values, indices } = tf.topk(
      tf.tensor1d([Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NaN, Number.NEGATIVE_INFINITY]),
      5,
    );
    return [Array.from(values.dataSync()), Array.from(indices.dataSync())] as unknown as tf.Tensor[];
  }) as unknown as number[][];
  assert.equal(got[1], [2, 1, 4, 0, 3]);
  assert.ok(Number.isNaN(got[0]![3]));
});

if (ready) test.run();
