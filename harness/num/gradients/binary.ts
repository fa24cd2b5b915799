/** @file Gradients of elementwise operations of two inputs, with broadcasting, and of selection. */
import type { GradConfig } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels/own.ts';
import { type Tensor, tf } from '../tf.ts';

/** Sums a gradient over the axes along which an input of `shape` was broadcast. */
export function sumToShape(grad: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, grad.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(grad, axes) : grad, shape);
}

const RELU_GRADIENT = 'SaxReluGrad';

/** dy · 1[y > 0], from the input or the output y of a ReLU, both float32 and of one shape. */
export function reluGradient(dy: Tensor, y: Tensor): Tensor {
  return hasKernel(RELU_GRADIENT) ? runKernel(RELU_GRADIENT, { dy, y }) : tf.mul(dy, tf.step(y));
}

const gradientOfRelu: GradConfig = {
  kernelName: RELU_GRADIENT,
  inputsToSave: ['y'],
  gradFunc: (dy, [y]) => ({ dy: () => reluGradient(dy as Tensor, y!), y: () => tf.zerosLike(y!) }),
};

type Partial2 = (dy: Tensor, a: Tensor, b: Tensor) => Tensor;

const float = (x: Tensor) => tf.cast(x, 'float32');

/** ∂/∂a and ∂/∂b of each operation, times `dy`, before the sum over broadcast axes. */
const PARTIALS: Record<string, [Partial2, Partial2]> = {
  Add: [(dy) => dy, (dy) => dy],
  Sub: [(dy) => dy, (dy) => tf.neg(dy)],
  Multiply: [(dy, _, b) => tf.mul(dy, float(b)), (dy, a) => tf.mul(dy, float(a))],
  RealDiv: [
    (dy, _, b) => tf.div(dy, float(b)),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, float(a)), tf.square(float(b)))),
  ],
  SquaredDifference: [
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(a, b), 2)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.sub(b, a), 2)),
  ],
  Maximum: [(dy, a, b) => tf.mul(dy, float(tf.greaterEqual(a, b))), (dy, a, b) => tf.mul(dy, float(tf.less(a, b)))],
  Minimum: [(dy, a, b) => tf.mul(dy, float(tf.lessEqual(a, b))), (dy, a, b) => tf.mul(dy, float(tf.greater(a, b)))],
  Pow: [
    (dy, a, b) => tf.mul(dy, tf.mul(float(b), tf.pow(a, tf.sub(float(b), 1)))),
    (dy, a, b) => {
      // x^b has no finite slope in b at x <= 0; 0 there, as in TensorFlow.
      const positive = tf.greater(a, 0);
      const log = tf.log(tf.where(positive, float(a), tf.onesLike(float(a))));
      return tf.mul(dy, tf.mul(tf.pow(float(a), float(b)), log));
    },
  ],
  Atan2: [
    (dy, a, b) => tf.mul(dy, tf.div(b, tf.add(tf.square(a), tf.square(b)))),
    (dy, a, b) => tf.neg(tf.mul(dy, tf.div(a, tf.add(tf.square(a), tf.square(b))))),
  ],
  Mod: [(dy) => dy, (dy, a, b) => tf.neg(tf.mul(dy, tf.floor(tf.div(a, b))))],
};

/** Comparisons and logic: flat, but they may lie on the path from a parameter to the loss, where tfjs refuses them. */
const FLAT = [
  'Equal',
  'NotEqual',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'LogicalAnd',
  'LogicalOr',
  'FloorDiv',
];

const binary = ([kernelName, [partialA, partialB]]: [string, [Partial2, Partial2]]): GradConfig => ({
  kernelName,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [a, b]) => ({
    a: () => sumToShape(partialA(dy as Tensor, a!, b!), a!.shape),
    b: () => sumToShape(partialB(dy as Tensor, a!, b!), b!.shape),
  }),
});

const flat = (kernelName: string): GradConfig => ({
  kernelName,
  inputsToSave: ['a', 'b'],
  gradFunc: (_, [a, b]) => ({ a: () => tf.zeros(a!.shape), b: () => tf.zeros(b!.shape) }),
});

const select: GradConfig = {
  kernelName: 'Select',
  inputsToSave: ['condition'],
  gradFunc: (dy, [condition]) => ({
    condition: () => tf.zeros(condition!.shape),
    // Select and not multiply: 0 times an infinite gradient of the branch not taken would be NaN.
    t: () => tf.where(condition!, dy as Tensor, tf.zerosLike(dy as Tensor)),
    e: () => tf.where(condition!, tf.zerosLike(dy as Tensor), dy as Tensor),
  }),
};

const prelu: GradConfig = {
  kernelName: 'Prelu',
  inputsToSave: ['x', 'alpha'],
  gradFunc: (dy, [x, alpha]) => ({
    x: () => tf.where(tf.greater(x!, 0), dy as Tensor, tf.mul(dy as Tensor, alpha!)),
    alpha: () => sumToShape(tf.mul(dy as Tensor, tf.minimum(x!, 0)), alpha!.shape),
  }),
};

/** Gradients of elementwise operations of two or more inputs. */
export const binaryGradients: GradConfig[] = [
  ...Object.entries(PARTIALS).map(binary),
  ...FLAT.map(flat),
  select,
  prelu,
  gradientOfRelu,
  { kernelName: 'LogicalNot', inputsToSave: ['x'], gradFunc: (_, [x]) => ({ x: () => tf.zeros(x!.shape) }) },
  {
    kernelName: 'AddN',
    saveAllInputs: true,
    gradFunc: (dy, saved) => Object.fromEntries(saved.map((_, i) => [i, () => tf.clone(dy as Tensor)])),
  },
];
