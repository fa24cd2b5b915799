/** @file Gradients of elementwise operations of one input. */
import type { GradConfig } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from '../tf.ts';
import { reluGradient } from './binary.ts';

type Derivative = (dy: Tensor, value: Tensor) => Tensor;

const SELU_SCALE = 1.0507009873554805;
const SELU_SCALE_ALPHA = 1.7580993408473768;

const float = (x: Tensor) => tf.cast(x, 'float32');
const squared = (x: Tensor) => tf.square(float(x));

/** `dy · f'(x)`, where the derivative is cheapest from the input. */
const FROM_INPUT: Record<string, Derivative> = {
  Abs: (dy, x) => tf.mul(dy, tf.sign(float(x))),
  Acos: (dy, x) => tf.neg(tf.div(dy, tf.sqrt(tf.sub(1, squared(x))))),
  Acosh: (dy, x) => tf.div(dy, tf.sqrt(tf.sub(squared(x), 1))),
  Asin: (dy, x) => tf.div(dy, tf.sqrt(tf.sub(1, squared(x)))),
  Asinh: (dy, x) => tf.div(dy, tf.sqrt(tf.add(1, squared(x)))),
  Atan: (dy, x) => tf.div(dy, tf.add(1, squared(x))),
  Atanh: (dy, x) => tf.div(dy, tf.sub(1, squared(x))),
  Cos: (dy, x) => tf.mul(dy, tf.neg(tf.sin(float(x)))),
  Cosh: (dy, x) => tf.mul(dy, tf.sinh(float(x))),
  Erf: (dy, x) => tf.mul(dy, tf.mul(tf.exp(tf.neg(squared(x))), 2 / Math.sqrt(Math.PI))),
  Expm1: (dy, x) => tf.mul(dy, tf.exp(x)),
  Log: (dy, x) => tf.div(dy, float(x)),
  Log1p: (dy, x) => tf.div(dy, tf.add(x, 1)),
  Relu: (dy, x) => reluGradient(dy, float(x)),
  Relu6: (dy, x) => tf.mul(dy, float(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6)))),
  Selu: (dy, x) =>
    tf.where(tf.greater(x, 0), tf.mul(dy, SELU_SCALE), tf.mul(tf.mul(dy, SELU_SCALE_ALPHA), tf.exp(float(x)))),
  Sin: (dy, x) => tf.mul(dy, tf.cos(float(x))),
  Sinh: (dy, x) => tf.mul(dy, tf.cosh(float(x))),
  Softplus: (dy, x) => tf.mul(dy, tf.sigmoid(x)),
  Square: (dy, x) => tf.mul(dy, tf.mul(float(x), 2)),
  Tan: (dy, x) => tf.div(dy, tf.square(tf.cos(float(x)))),
};

/** `dy · f'(x)`, where the derivative is cheapest from the output `y`. */
const FROM_OUTPUT: Record<string, Derivative> = {
  Elu: (dy, y) => tf.mul(dy, tf.where(tf.greaterEqual(y, 0), tf.onesLike(y), tf.add(y, 1))),
  Exp: (dy, y) => tf.mul(dy, y),
  Reciprocal: (dy, y) => tf.neg(tf.mul(dy, tf.square(y))),
  Rsqrt: (dy, y) => tf.mul(dy, tf.mul(tf.mul(tf.square(y), y), -0.5)),
  Sigmoid: (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y))),
  Sqrt: (dy, y) => tf.div(dy, tf.mul(y, 2)),
  Tanh: (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y))),
};

/** Operations whose derivative is 0 wherever it exists. */
const FLAT = ['Ceil', 'Floor', 'Round', 'Sign', 'Step', 'IsNan', 'IsInf', 'IsFinite', 'ZerosLike', 'OnesLike'];

function fromValue(kernelName: string, derivative: Derivative, save: Partial<GradConfig>): GradConfig {
  return {
    kernelName,
    ...save,
    gradFunc: (dy, saved) => ({ x: () => derivative(dy as Tensor, saved[0]!) }),
  };
}

/** Gradient of a clip: passes where the input lies within the bounds. */
const clipByValue: GradConfig = {
  kernelName: 'ClipByValue',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const { clipValueMin, clipValueMax } = attrs as unknown as { clipValueMin: number; clipValueMax: number };
    const inside = () => tf.logicalAnd(tf.greaterEqual(x!, clipValueMin), tf.lessEqual(x!, clipValueMax));
    return { x: () => tf.mul(dy as Tensor, float(inside())) };
  },
};

const leakyRelu: GradConfig = {
  kernelName: 'LeakyRelu',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const { alpha } = attrs as unknown as { alpha: number };
    return { x: () => tf.where(tf.greater(x!, 0), dy as Tensor, tf.mul(dy as Tensor, alpha)) };
  },
};

const pass = (kernelName: string): GradConfig => ({
  kernelName,
  gradFunc: (dy) => ({ x: () => float(dy as Tensor) }),
});

/** Gradients of elementwise operations of one input. */
export const unaryGradients: GradConfig[] = [
  ...Object.entries(FROM_INPUT).map(([name, derivative]) => fromValue(name, derivative, { inputsToSave: ['x'] })),
  ...Object.entries(FROM_OUTPUT).map(([name, derivative]) => fromValue(name, derivative, { outputsToSave: [true] })),
  ...FLAT.map((name) => fromValue(name, (_, x) => tf.zeros(x.shape), { inputsToSave: ['x'] })),
  clipByValue,
  leakyRelu,
  pass('Cast'),
  pass('Identity'),
  { kernelName: 'Neg', gradFunc: (dy) => ({ x: () => tf.neg(dy as Tensor) }) },
];
