/** @file Native kernels that move data or follow indices, against tfjs's CPU backend. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Input, input, nativeReady, sameAsCpu, shapeOf, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native layout');

const dtypes: tf.NumericDataType[] = ['float32', 'int32', 'bool'];

/** A random permutation of 0 … n-1. */
function permutation(seed: number, n: number): number[] {
  const from = source(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = from.int(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

test('transpose, ranks 0 to 6', () => {
  for (let seed = 0; seed < 60; seed++) {
    const from = source(seed);
    const shape = shapeOf(from, from.int(7), 5, true);
    sameAsCpu('transpose', [input(from, shape, dtypes[seed % 3])], (x) =>
      tf.transpose(x!, permutation(seed, shape.length)),
    );
  }
  for (const [shape, perm] of [
    [
      [333, 217],
      [1, 0],
    ],
    [
      [3, 40, 50],
      [0, 2, 1],
    ],
    [
      [6, 20, 4, 33],
      [0, 2, 1, 3],
    ],
    [
      [6, 20, 4, 33],
      [0, 2, 3, 1],
    ],
  ] as const) {
    sameAsCpu('transpose', [input(source(1), [...shape])], (x) => tf.transpose(x!, [...perm]));
  }
});

test('slice, strided slice, split, reverse', () => {
  for (let seed = 0; seed < 40; seed++) {
    const from = source(seed);
    const shape = shapeOf(from, 1 + from.int(5), 6);
    const x = input(from, shape, dtypes[seed % 3]);
    const begin = shape.map((dim) => from.int(dim));
    const size = shape.map((dim, d) => from.int(dim - begin[d]! + 1));
    sameAsCpu('slice', [x], (t) => tf.slice(t!, begin, size));
    const end = shape.map((dim, d) => begin[d]! + 1 + from.int(dim - begin[d]!));
    const steps = shape.map(() => 1 + from.int(3));
    sameAsCpu('stridedSlice', [x], (t) => tf.stridedSlice(t!, begin, end, steps));
    sameAsCpu('reverse', [x], (t) => tf.reverse(t!, [from.int(1)]));
    sameAsCpu('split', [x], (t) => tf.split(t!, new Array(shape.at(-1)!).fill(1), shape.length - 1));
  }
  sameAsCpu('backwards', [input(source(2), [7, 5])], (t) => tf.stridedSlice(t!, [6, 4], [0, 0], [-2, -1]));
});

test('a slice outlives its source, and recycled memory does not show through', () => {
  tf.setBackend('native');
  const source1 = tf.add(tf.ones([100]), 1);
  const part = tf.slice(source1, [10], [50]);
  const read = source1.dataSync();
  source1.dispose();
  const other = tf.mul(tf.ones([100]), 7);
  assert.equal(Array.from(part.dataSync()), new Array(50).fill(2));
  assert.equal(Array.from(read), new Array(100).fill(2));
  tf.dispose([part, other]);
});

test('concat, stack, pad, tile', () => {
  for (let seed = 0; seed < 30; seed++) {
    const from = source(seed);
    const dtype = dtypes[seed % 3];
    const shape = shapeOf(from, 1 + from.int(4), 4);
    const axis = from.int(shape.length);
    const wider = shape.map((dim, d) => (d === axis ? from.int(4) : dim));
    sameAsCpu('concat', [input(from, shape, dtype), input(from, wider, dtype), input(from, shape, dtype)], (...all) =>
      tf.concat(all, axis),
    );
    sameAsCpu('stack', [input(from, shape, dtype), input(from, shape, dtype)], (...all) => tf.stack(all, axis));
    const paddings = shape.map(() => [from.int(3), from.int(3)] as [number, number]);
    sameAsCpu('pad', [input(from, shape, dtype)], (x) => tf.pad(x!, paddings, 1));
    const reps = shape.map(() => 1 + from.int(3));
    sameAsCpu('tile', [input(from, shape, dtype)], (x) => tf.tile(x!, reps));
  }
});

/** Random indices below `n`. */
function indices(seed: number, shape: number[], n: number): Input {
  const from = source(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: 'int32', values: Int32Array.from({ length: size }, () => from.int(n)) };
}

test('gather over any axis and batch dimensions', () => {
  for (let seed = 0; seed < 30; seed++) {
    const from = source(seed);
    const shape = shapeOf(from, 1 + from.int(4), 5);
    const axis = from.int(shape.length);
    const x = input(from, shape, dtypes[seed % 3]);
    const at = indices(seed, shapeOf(from, from.int(3), 6), shape[axis]!);
    sameAsCpu('gather', [x, at], (t, i) => tf.gather(t!, i as tf.Tensor1D, axis));
  }
  sameAsCpu('batched', [input(source(1), [3, 5, 4]), indices(1, [3, 2], 5)], (t, i) =>
    tf.gather(t!, i as tf.Tensor1D, 1, 1),
  );
  sameAsCpu('rows', [input(source(1), [500, 64]), indices(1, [3000], 500)], (t, i) => tf.gather(t!, i as tf.Tensor1D));
  tf.setBackend('native');
  assert.throws(() => tf.gather(tf.zeros([3, 2]), tf.tensor1d([3], 'int32')), /out of range/);
});

test('segment sums, narrow and wide', () => {
  for (const [rows, inner, segments] of [
    [5, [], 3],
    [40, [7], 4],
    [9, [2, 3], 12],
    [600, [130], 50],
    [9000, [9], 21],
  ] as [number, number[], number][]) {
    const inputs = [input(source(rows), [rows, ...inner]), indices(rows, [rows], segments)];
    sameAsCpu(
      'unsortedSegmentSum',
      inputs,
      (x, ids) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, segments),
      1e-5,
      10,
    );
  }
});

test('gatherND, scatterND, oneHot', () => {
  for (let seed = 0; seed < 30; seed++) {
    const from = source(seed);
    const shape = shapeOf(from, 1 + from.int(4), 5);
    const depth = 1 + from.int(shape.length);
    const n = 1 + from.int(9);
    const tuples = Int32Array.from({ length: n * depth }, (_, i) => from.int(shape[i % depth]!));
    const at: Input = { shape: [n, depth], dtype: 'int32', values: tuples };
    sameAsCpu('gatherND', [input(from, shape), at], (x, i) => tf.gatherND(x!, i!));
    const updates = input(from, [n, ...shape.slice(depth)]);
    sameAsCpu('scatterND', [updates, at], (u, i) => tf.scatterND(i!, u!, shape as never), 1e-6, 1);
    sameAsCpu('oneHot', [indices(seed, shape.slice(0, 2), 7)], (i) => tf.oneHot(i!, 5, 2, -1));
  }
  tf.setBackend('native');
  assert.throws(() => tf.gatherND(tf.zeros([3]), tf.tensor2d([5], [1, 1], 'int32')), /Invalid indices/);
});

test('constants and identities', () => {
  for (const shape of [[], [0], [3, 2], [300000]]) {
    const x = input(source(1), shape);
    sameAsCpu('zerosLike', [x], (t) => [tf.zerosLike(t!), tf.onesLike(t!), tf.fill(shape, 2.5), tf.clone(t!)]);
    sameAsCpu('reshape', [x], (t) => tf.mul(tf.reshape(t!, [1, ...shape]), 2));
  }
});

if (ready) test.run();
