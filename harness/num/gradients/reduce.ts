/** @file Gradients of reductions, cumulative sums and softmax. */
import type { GradConfig } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels/own.ts';
import { type Tensor, tf } from '../tf.ts';

type Axes = { axis?: number | number[]; reductionIndices?: number | number[] };

/** `dy` with the reduced axes back as size 1, so that it broadcasts against the input. */
function keepReduced(dy: Tensor, x: Tensor, axis: number | number[] | undefined): Tensor {
  const axes = tf.util.parseAxisParam(axis as number | number[], x.shape);
  const shape = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return tf.reshape(dy, shape);
}

/** A copy of `x` broadcast to `shape`: by a product with ones, since tile takes ten times as long on wasm. */
const expand = (x: Tensor, shape: number[]) => tf.mul(x, tf.fill(shape, 1));

const sum: GradConfig = {
  kernelName: 'Sum',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => ({
    x: () => expand(keepReduced(dy as Tensor, x!, (attrs as Axes).axis), x!.shape),
  }),
};

const mean: GradConfig = {
  kernelName: 'Mean',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const kept = keepReduced(dy as Tensor, x!, (attrs as Axes).axis);
    const count = x!.size / Math.max(1, kept.size);
    return { x: () => expand(tf.div(kept, count), x!.shape) };
  },
};

/** Maximum and minimum: the gradient is shared evenly among equal extremes. */
const extreme = (kernelName: string): GradConfig => ({
  kernelName,
  inputsToSave: ['x'],
  outputsToSave: [true],
  gradFunc: (dy, [x, y], attrs) => {
    // Max names its attribute reductionIndices, Min names it axis.
    const axes = (attrs as Axes).reductionIndices ?? (attrs as Axes).axis;
    return {
      x: () => {
        const hit = tf.cast(tf.equal(x!, keepReduced(y!, x!, axes)), 'float32');
        const parsed = tf.util.parseAxisParam(axes as number | number[], x!.shape);
        return tf.mul(tf.div(hit, tf.sum(hit, parsed, true)), keepReduced(dy as Tensor, x!, axes));
      },
    };
  },
});

/** Product: the exclusive products from both sides, which stays right where an element is 0. One axis at a time. */
const prod: GradConfig = {
  kernelName: 'Prod',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const axes = tf.util.parseAxisParam((attrs as Axes).axis as number | number[], x!.shape);
    if (axes.length !== 1) throw new Error('gradient of prod: give one axis');
    const axis = axes[0]!;
    return {
      x: () => {
        const others = tf.mul(tf.cumprod(x!, axis, true, false), tf.cumprod(x!, axis, true, true));
        return tf.mul(keepReduced(dy as Tensor, x!, axis), others);
      },
    };
  },
};

const cumsum: GradConfig = {
  kernelName: 'Cumsum',
  gradFunc: (dy, _, attrs) => {
    const { axis, exclusive, reverse } = attrs as unknown as { axis: number; exclusive: boolean; reverse: boolean };
    return { x: () => tf.cumsum(dy as Tensor, axis, exclusive, !reverse) };
  },
};

const softmax: GradConfig = {
  kernelName: 'Softmax',
  outputsToSave: [true],
  gradFunc: (dy, [y], attrs) => {
    const { dim } = attrs as unknown as { dim: number };
    return {
      logits: () => {
        if (hasKernel('SaxSoftmaxGrad')) return runKernel('SaxSoftmaxGrad', { dy: dy as Tensor, y: y! });
        const weighted = tf.mul(dy as Tensor, y!);
        return tf.sub(weighted, tf.mul(tf.sum(weighted, [dim], true), y!));
      },
    };
  },
};

const flat = (kernelName: string): GradConfig => ({
  kernelName,
  inputsToSave: ['x'],
  gradFunc: (_, [x]) => ({ x: () => tf.zeros(x!.shape) }),
});

/** Gradients of reductions, cumulative sums and softmax. */
export const reduceGradients: GradConfig[] = [
  sum,
  mean,
  extreme('Max'),
  extreme('Min'),
  prod,
  cumsum,
  softmax,
  flat('ArgMax'),
  flat('ArgMin'),
  flat('Any'),
  flat('All'),
];
