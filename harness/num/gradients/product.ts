/** @file Gradients of matrix products and of two-dimensional convolution. */
import type { GradConfig, Tensor4D } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from '../tf.ts';
import { sumToShape } from './binary.ts';

/** Products with either side transposed; batch axes that were broadcast are summed. */
const batchMatMul: GradConfig = {
  kernelName: 'BatchMatMul',
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, [a, b], attrs) => {
    const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
    const g = dy as Tensor;
    return {
      a: () =>
        sumToShape(transposeA ? tf.matMul(b!, g, transposeB, true) : tf.matMul(g, b!, false, !transposeB), a!.shape),
      b: () =>
        sumToShape(transposeB ? tf.matMul(g, a!, true, transposeA) : tf.matMul(a!, g, !transposeA, false), b!.shape),
    };
  },
};

const conv2d: GradConfig = {
  kernelName: 'Conv2D',
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, [x, filter], attrs) => {
    const { strides, pad, dataFormat } = attrs as unknown as { strides: number; pad: 'same'; dataFormat: 'NHWC' };
    const shared = { strides, pad, dataFormat };
    const run = (name: string, inputs: Record<string, Tensor>, own: object): Tensor4D =>
      tf.engine().runKernel(name, inputs, { ...shared, ...own }) as Tensor4D;
    return {
      x: () => run('Conv2DBackpropInput', { dy: dy as Tensor, filter: filter! }, { inputShape: x!.shape }),
      filter: () => run('Conv2DBackpropFilter', { x: x!, dy: dy as Tensor }, { filterShape: filter!.shape }),
    };
  },
};

/** Gradients of matrix products and of two-dimensional convolution. */
export const productGradients: GradConfig[] = [batchMatMul, conv2d];
