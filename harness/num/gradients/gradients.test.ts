/** @file Every registered gradient against central differences, on every backend that starts here. */
import { suite } from 'uvu';
import { testBackends } from '../../testing/test-backends.ts';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { checkGradient, finiteDifference } from '../finite-difference.ts';
import { createRng } from '../rng.ts';
import { type Scalar, type Tensor, type Tensor1D, type Tensor4D, tf } from '../tf.ts';

const test = suite('gradients');
const backends = await testBackends();
const rng = createRng('gradients');

/** Distinct weights make every element of the output matter, so a gradient that is only right in sum is caught. */
const weights = (n: number) => Array.from({ length: n }, (_, i) => ((i * 7) % 11) / 5 - 1);
const weighted = (y: Tensor): Scalar => tf.sum(tf.mul(tf.reshape(y, [-1]), weights(y.size)));
const uniform = (n: number, low: number, high: number) =>
  Array.from({ length: n }, () => low + (high - low) * rng.uniform());

/** Name → [tf operation, float64 function, low, high]: an interval on which the function is smooth. */
const UNARY: Record<string, [(x: Tensor) => Tensor, (x: number) => number, number, number]> = {
  abs: [(x) => tf.abs(x), Math.abs, -2, -0.1],
  acos: [(x) => tf.acos(x), Math.acos, -0.8, 0.8],
  acosh: [(x) => tf.acosh(x), Math.acosh, 1.2, 3],
  asin: [(x) => tf.asin(x), Math.asin, -0.8, 0.8],
  asinh: [(x) => tf.asinh(x), Math.asinh, -2, 2],
  atan: [(x) => tf.atan(x), Math.atan, -2, 2],
  atanh: [(x) => tf.atanh(x), Math.atanh, -0.8, 0.8],
  cos: [(x) => tf.cos(x), Math.cos, -2, 2],
  cosh: [(x) => tf.cosh(x), Math.cosh, -2, 2],
  exp: [(x) => tf.exp(x), Math.exp, -2, 2],
  expm1: [(x) => tf.expm1(x), Math.expm1, -2, 2],
  log: [(x) => tf.log(x), Math.log, 0.3, 3],
  log1p: [(x) => tf.log1p(x), Math.log1p, -0.5, 2],
  relu: [(x) => tf.relu(x), (x) => Math.max(x, 0), 0.1, 2],
  'relu below 0': [(x) => tf.relu(x), (x) => Math.max(x, 0), -2, -0.1],
  relu6: [(x) => tf.relu6(x), (x) => Math.min(Math.max(x, 0), 6), 5.9, 5.99],
  'relu6 above 6': [(x) => tf.relu6(x), (x) => Math.min(Math.max(x, 0), 6), 6.1, 8],
  selu: [(x) => tf.selu(x), (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)), -2, -0.1],
  elu: [(x) => tf.elu(x), (x) => (x > 0 ? x : Math.expm1(x)), -2, -0.1],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.3), (x) => (x > 0 ? x : 0.3 * x), -2, -0.1],
  sin: [(x) => tf.sin(x), Math.sin, -2, 2],
  sinh: [(x) => tf.sinh(x), Math.sinh, -2, 2],
  softplus: [(x) => tf.softplus(x), (x) => Math.log1p(Math.exp(x)), -2, 2],
  square: [(x) => tf.square(x), (x) => x * x, -2, 2],
  tan: [(x) => tf.tan(x), Math.tan, -1, 1],
  reciprocal: [(x) => tf.reciprocal(x), (x) => 1 / x, 0.4, 2],
  rsqrt: [(x) => tf.rsqrt(x), (x) => 1 / Math.sqrt(x), 0.4, 2],
  sigmoid: [(x) => tf.sigmoid(x), (x) => 1 / (1 + Math.exp(-x)), -3, 3],
  sqrt: [(x) => tf.sqrt(x), Math.sqrt, 0.3, 3],
  tanh: [(x) => tf.tanh(x), Math.tanh, -2, 2],
  neg: [(x) => tf.neg(x), (x) => -x, -2, 2],
  'clip inside': [(x) => tf.clipByValue(x, -1, 1), (x) => x, -0.9, 0.9],
  'clip outside': [(x) => tf.clipByValue(x, -1, 1), () => 1, 1.1, 2],
};

const BINARY: Record<string, [(a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number]> = {
  add: [tf_(() => tf.add), (a, b) => a + b],
  sub: [tf_(() => tf.sub), (a, b) => a - b],
  mul: [tf_(() => tf.mul), (a, b) => a * b],
  div: [tf_(() => tf.div), (a, b) => a / b],
  squaredDifference: [tf_(() => tf.squaredDifference), (a, b) => (a - b) ** 2],
  maximum: [tf_(() => tf.maximum), Math.max],
  minimum: [tf_(() => tf.minimum), Math.min],
  pow: [tf_(() => tf.pow), (a, b) => a ** b],
  atan2: [tf_(() => tf.atan2), Math.atan2],
  mod: [tf_(() => tf.mod), (a, b) => a % b],
};

/** `tf` is a live binding, unset while this module loads. */
function tf_(get: () => (a: Tensor, b: Tensor) => Tensor): (a: Tensor, b: Tensor) => Tensor {
  return (a, b) => get()(a, b);
}

/** Name → [operation, input shapes]. Linear, bilinear or smooth: a float32 central difference of itself suffices. */
const STRUCTURAL: Record<string, [(...x: Tensor[]) => Tensor, number[][]]> = {
  'sum of an axis': [(x) => tf.sum(x!, 1), [[2, 3, 2]]],
  'sum of all, kept': [(x) => tf.sum(x!, undefined, true), [[2, 3]]],
  'mean of two axes': [(x) => tf.mean(x!, [0, 2]), [[2, 3, 2]]],
  max: [(x) => tf.max(x!, 1), [[3, 4]]],
  'min kept': [(x) => tf.min(x!, 0, true), [[3, 4]]],
  prod: [(x) => tf.prod(x!, 1), [[2, 3]]],
  'cumsum along the first axis': [(x) => tf.cumsum(x!, 0, true, false), [[3, 2]]],
  'cumsum reversed': [(x) => tf.cumsum(x!, 1, false, true), [[2, 3]]],
  softmax: [(x) => tf.softmax(x!), [[2, 4]]],
  logSoftmax: [(x) => tf.logSoftmax(x!), [[2, 4]]],
  logSumExp: [(x) => tf.logSumExp(x!, 1), [[2, 4]]],
  reshape: [(x) => tf.reshape(x!, [3, 2]), [[2, 3]]],
  expandDims: [(x) => tf.expandDims(x!, 1), [[2, 3]]],
  transpose: [(x) => tf.transpose(x!, [2, 0, 1]), [[2, 3, 2]]],
  slice: [(x) => tf.slice(x!, [1, 0], [1, -1]), [[3, 2]]],
  pad: [
    (x) =>
      tf.pad(x!, [
        [1, 0],
        [0, 2],
      ]),
    [[2, 2]],
  ],
  concat: [
    (a, b) => tf.concat([a!, b!], 1),
    [
      [2, 1],
      [2, 3],
    ],
  ],
  split: [(x) => tf.mul(tf.split(x!, [1, 2], 1)[1]!, 2), [[2, 3]]],
  stack: [
    (a, b) => tf.stack([a!, b!], 1),
    [
      [2, 2],
      [2, 2],
    ],
  ],
  unstack: [(x) => tf.mul(tf.unstack(x!, 1)[1]!, 2), [[2, 3]]],
  'unstack of one': [(x) => tf.unstack(x!, 0)[0]!, [[1, 3]]],
  tile: [(x) => tf.tile(x!, [2, 1, 3]), [[2, 2, 2]]],
  broadcastTo: [(x) => tf.broadcastTo(x!, [2, 3, 2]), [[3, 1]]],
  reverse: [(x) => tf.reverse(x!, 1), [[2, 3]]],
  matMul: [
    (a, b) => tf.matMul(a!, b!),
    [
      [2, 3],
      [3, 4],
    ],
  ],
  'matMul aT': [
    (a, b) => tf.matMul(a!, b!, true, false),
    [
      [3, 2],
      [3, 4],
    ],
  ],
  'matMul bT': [
    (a, b) => tf.matMul(a!, b!, false, true),
    [
      [2, 3],
      [4, 3],
    ],
  ],
  'matMul aT bT': [
    (a, b) => tf.matMul(a!, b!, true, true),
    [
      [3, 2],
      [4, 3],
    ],
  ],
  'matMul with a broadcast batch': [
    (a, b) => tf.matMul(a!, b!),
    [
      [2, 2, 3],
      [1, 3, 2],
    ],
  ],
  gather: [(x) => tf.gather(x!, tf.tensor1d([2, 0, 2], 'int32')), [[3, 2]]],
  'gather along the last axis': [
    (x) =>
      tf.gather(
        x!,
        tf.tensor2d(
          [
            [1, 0],
            [1, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
    [[2, 3]],
  ],
  segmentSum: [(x) => tf.unsortedSegmentSum(x!, tf.tensor1d([1, -1, 1, 5], 'int32'), 2), [[4, 2]]],
  topk: [(x) => tf.topk(x!, 2).values, [[2, 2, 4]]],
  where: [(a, b) => tf.where(tf.tensor1d([1, 0, 1], 'bool'), a!, b!), [[3], [3]]],
  addN: [(a, b) => tf.addN([a!, b!]), [[3], [3]]],
  prelu: [(x, a) => tf.prelu(x!, a!), [[3, 2], [2]]],
  dot: [(a, b) => tf.dot(a!, b!), [[3], [3]]],
  conv2d: [
    (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, 1, 'same'),
    [
      [1, 3, 3, 2],
      [2, 2, 2, 1],
    ],
  ],
  'comparison on the path': [(x) => tf.mul(x!, tf.cast(tf.greater(x!, 0), 'float32')), [[6]]],
  'mean and variance': [(x) => tf.moments(x!, 1).variance, [[2, 3]]],
  norm: [(x) => tf.norm(x!, 2, 1), [[2, 3]]],
};

for (const backend of backends) {
  for (const [name, [op, f, low, high]] of Object.entries(UNARY)) {
    test(`${backend}: ${name}`, async () => {
      await initBackend(backend);
      const reference = (x: number[]) => x.reduce((total, value, i) => total + weights(x.length)[i]! * f(value), 0);
      const input = { shape: [2, 3], values: uniform(6, low, high) };
      checkGradient((x) => weighted(op(x!)), reference as never, [input], { rtol: 1e-3, atol: 1e-4 });
    });
  }

  for (const [name, [op, f]] of Object.entries(BINARY)) {
    test(`${backend}: ${name} with broadcasting on both sides`, async () => {
      await initBackend(backend);
      const reference = (a: number[], b: number[]) => {
        let total = 0;
        for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) total += weights(6)[i * 3 + j]! * f(a[i]!, b[j]!);
        return total;
      };
      const inputs = [
        { shape: [2, 1], values: [1.3, 2.6] },
        { shape: [3], values: [0.7, 1.9, 2.1] },
      ];
      checkGradient((a, b) => weighted(op(a!, b!)), reference as never, inputs, { rtol: 1e-3, atol: 1e-4 });
    });
  }

  for (const [name, [op, shapes]] of Object.entries(STRUCTURAL)) {
    test(`${backend}: ${name}`, async () => {
      await initBackend(backend);
      const inputs = shapes.map((shape) => ({ shape, values: uniform(tf.util.sizeFromShape(shape), -1, 1) }));
      const self = (...values: number[][]) =>
        tf.tidy(() => weighted(op(...values.map((data, i) => tf.tensor(data, shapes[i]!)))).dataSync()[0]!);
      const values = inputs.map((input) => input.values);
      const expected = finiteDifference(self, values, 0.01);
      tf.tidy(() => {
        const tensors = inputs.map((input) => tf.tensor(input.values, input.shape));
        const grads = tf.grads((...x: Tensor[]) => weighted(op(...x)))(tensors);
        grads.forEach((grad, i) => {
          allclose(grad.dataSync(), expected[i]!, { rtol: 5e-3, atol: 1e-3 }, `input ${i}`);
        });
      });
    });
  }
}

test('equal maxima share the gradient, and a zero factor keeps the product gradient', async () => {
  await initBackend('wasm');
  tf.tidy(() => {
    const max = tf.grad((x) => tf.sum(tf.max(x, 1)))(tf.tensor2d([[1, 3, 3]]));
    allclose(max.dataSync(), [0, 0.5, 0.5]);
    const prod = tf.grad((x) => tf.sum(tf.prod(x, 0)))(tf.tensor1d([2, 0, 3]));
    allclose(prod.dataSync(), [0, 6, 0]);
    const where = tf.grad((x) => tf.sum(tf.where(tf.greater(x, 0), tf.log(tf.maximum(x, 1e-30)), tf.zerosLike(x))));
    allclose(where(tf.tensor1d([2, 0]) as Tensor1D).dataSync(), [0.5, 0]);
  });
});

test.run();
