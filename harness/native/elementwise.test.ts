/** @file Native elementwise kernels against tfjs's CPU backend. */
import { suite } from 'uvu';
import { input, nativeReady, sameAsCpu, shapeOf, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native elementwise');

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
const arithmetic: Record<string, Binary> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  maximum: tf.maximum,
  minimum: tf.minimum,
  squaredDifference: tf.squaredDifference,
  mod: tf.mod,
  prelu: tf.prelu,
};
const comparisons: Record<string, Binary> = {
  equal: tf.equal,
  notEqual: tf.notEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
};

/** Two shapes that broadcast together. */
function broadcastPair(seed: number): [number[], number[]] {
  const from = source(seed);
  const full = shapeOf(from, from.int(7), 4, true);
  const thin = (shape: number[]) => shape.map((dim) => (from.int(3) === 0 ? 1 : dim));
  const cut = from.int(full.length + 1);
  const pair: [number[], number[]] = [thin(full), thin(full).slice(cut)];
  return from.int(2) === 0 ? pair : [pair[1], pair[0]];
}

function overShapes(dtypes: tf.NumericDataType[], operations: Record<string, Binary>, tolerance = 0): void {
  for (const [name, run] of Object.entries(operations)) {
    for (const dtype of dtypes) {
      for (let seed = 0; seed < 25; seed++) {
        const [a, b] = broadcastPair(seed);
        const from = source(seed + 1000);
        sameAsCpu(name, [input(from, a, dtype, true), input(from, b, dtype, true)], run as never, tolerance);
      }
    }
  }
}

test('arithmetic of two operands, broadcast, with NaN and infinities', () => {
  overShapes(['float32'], arithmetic, 1e-6);
  const { div, mod, prelu, ...whole } = arithmetic;
  void [div, mod, prelu];
  overShapes(['int32'], whole);
});

test('comparisons and logic', () => {
  overShapes(['float32', 'int32', 'bool'], comparisons);
  overShapes(['bool'], { and: tf.logicalAnd, or: tf.logicalOr } as never);
});

test('powers, with scalar and tensor exponents', () => {
  const from = source(5);
  for (const exponent of [2, 3, 0.5, -0.5, -1, 1, 0, 1.7, Number.NaN, Number.POSITIVE_INFINITY]) {
    const x = input(from, [200], 'float32', true);
    sameAsCpu(`pow ${exponent}`, [x], (t) => tf.pow(t, tf.scalar(exponent)), 1e-6);
    sameAsCpu(`pow ${exponent} by tensor`, [x], (t) => tf.pow(t, tf.fill([1], exponent)), 1e-6);
  }
});

test('long arrays, split over threads', () => {
  const from = source(6);
  const shape = [3, 70001];
  sameAsCpu('add', [input(from, shape), input(from, shape)], (a, b) => tf.add(a!, b!));
  sameAsCpu('mul by row', [input(from, [300, 513]), input(from, [513])], (a, b) => tf.mul(a!, b!));
  sameAsCpu('mul by column', [input(from, [300, 513]), input(from, [300, 1])], (a, b) => tf.mul(a!, b!));
  sameAsCpu('outer', [input(from, [300, 1]), input(from, [1, 513])], (a, b) => tf.add(a!, b!));
});

const unary: [string, (x: tf.Tensor) => tf.Tensor, number][] = [
  ['abs', tf.abs, 0],
  ['neg', tf.neg, 0],
  ['exp', tf.exp, 3e-7],
  ['expm1', tf.expm1, 3e-7],
  ['log', tf.log, 3e-7],
  ['log1p', tf.log1p, 4e-7],
  ['sqrt', tf.sqrt, 1e-7],
  ['rsqrt', tf.rsqrt, 2e-7],
  ['square', tf.square, 0],
  ['relu', tf.relu, 0],
  ['relu6', tf.relu6, 0],
  ['leakyRelu', (x) => tf.leakyRelu(x as tf.Tensor1D, 0.3), 1e-6],
  ['elu', tf.elu, 3e-7],
  ['selu', tf.selu, 4e-7],
  ['sigmoid', tf.sigmoid, 3e-7],
  ['tanh', tf.tanh, 4e-7],
  ['step', (x) => tf.step(x, 0.25), 0],
  ['sin', tf.sin, 2e-7],
  ['cos', tf.cos, 2e-7],
  ['floor', tf.floor, 0],
  ['ceil', tf.ceil, 0],
  ['round', tf.round, 0],
  ['reciprocal', tf.reciprocal, 1e-7],
  ['sign', tf.sign, 0],
  ['clip', (x) => tf.clipByValue(x, -0.5, 0.75), 0],
  ['isNaN', tf.isNaN, 0],
];

const wholeToo = ['abs', 'neg', 'square', 'relu', 'relu6', 'sign', 'clip'];

test('functions of one operand', () => {
  for (const [name, run, tolerance] of unary) {
    for (const scale of [3, 30, 120]) {
      const from = source(scale);
      for (const shape of [[0], [], [7], [4, 3, 5], [20011]]) {
        sameAsCpu(`${name} scale ${scale}`, [input(from, shape, 'float32', true, scale)], run as never, tolerance);
      }
    }
    if (wholeToo.includes(name))
      sameAsCpu(`${name} of int32`, [input(source(1), [9], 'int32')], run as never, tolerance);
  }
});

test('softplus and erf, where the CPU backend itself is inexact', () => {
  const x = input(source(3), [5000], 'float32', true, 8);
  sameAsCpu('softplus', [x], (t) => tf.softplus(t!), 1e-6);
  sameAsCpu('erf', [x], (t) => tf.erf(t!), 4e-7, 1);
});

test('casts', () => {
  const from = source(8);
  const kinds: tf.NumericDataType[] = ['float32', 'int32', 'bool'];
  for (const a of kinds) {
    for (const b of kinds) sameAsCpu(`cast to ${b}`, [input(from, [4, 31], a, true, 50)], (x) => tf.cast(x!, b));
  }
  const values = Float32Array.from([3e9, -3e9, 2 ** 31, -(2 ** 31), 1e20, -1.9, 1.9, 2 ** 33 + 1024]);
  sameAsCpu('cast wraps', [{ shape: [8], dtype: 'float32', values }], (x) => tf.cast(x!, 'int32'));
  sameAsCpu('cast then compute', [input(from, [12], 'int32')], (x) => tf.mul(tf.cast(x!, 'float32'), 0.5));
});

test('where, addN', () => {
  const from = source(9);
  for (const shape of [[6], [3, 4], [2, 3, 1, 2], [0, 3], [40000]]) {
    const inputs = [
      input(from, shape, 'bool'),
      input(from, shape, 'float32', true),
      input(from, shape, 'float32', true),
    ];
    sameAsCpu('where', inputs, (c, a, b) => tf.where(c!, a!, b!));
    sameAsCpu('addN', [input(from, shape), input(from, shape), input(from, shape)], (...all) => tf.addN(all));
  }
});

if (ready) test.run();
