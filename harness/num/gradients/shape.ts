/** @file Gradients of operations that move values without changing them. */
import type { GradConfig } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from '../tf.ts';

/** tfjs hands over a bare tensor where an operation had a single output. */
const list = (dys: Tensor | Tensor[]) => (Array.isArray(dys) ? dys : [dys]);

const reshaped = (kernelName: string, input: string): GradConfig => ({
  kernelName,
  inputsToSave: [input],
  gradFunc: (dy, [x]) => ({ [input]: () => tf.reshape(dy as Tensor, x!.shape) }),
});

const transpose: GradConfig = {
  kernelName: 'Transpose',
  gradFunc: (dy, _, attrs) => {
    const { perm } = attrs as unknown as { perm: number[] };
    const undo = perm.map((_axis, i) => perm.indexOf(i));
    return { x: () => tf.transpose(dy as Tensor, undo) };
  },
};

const slice: GradConfig = {
  kernelName: 'Slice',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const { begin, size } = attrs as unknown as { begin: number[]; size: number[] };
    const [from, taken] = tf.slice_util.parseSliceParams(x!, begin, size);
    const paddings = from!.map((start, i) => [start, x!.shape[i]! - start - taken![i]!] as [number, number]);
    return { x: () => tf.pad(dy as Tensor, paddings) };
  },
};

const pad: GradConfig = {
  kernelName: 'PadV2',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const { paddings } = attrs as unknown as { paddings: [number, number][] };
    const begin = paddings.map(([before]) => before);
    return { x: () => tf.slice(dy as Tensor, begin, x!.shape) };
  },
};

const concat: GradConfig = {
  kernelName: 'Concat',
  saveAllInputs: true,
  gradFunc: (dy, saved, attrs) => {
    const [axis] = tf.util.parseAxisParam((attrs as unknown as { axis: number }).axis, saved[0]!.shape);
    const sizes = saved.map((x) => x.shape[axis!]!);
    const parts = tf.split(dy as Tensor, sizes, axis);
    return Object.fromEntries(parts.map((part, i) => [i, () => part]));
  },
};

const split: GradConfig = {
  kernelName: 'SplitV',
  gradFunc: (dys, _, attrs) => {
    const { axis } = attrs as unknown as { axis: number };
    return { x: () => tf.concat(list(dys), axis) };
  },
};

const pack: GradConfig = {
  kernelName: 'Pack',
  saveAllInputs: true,
  gradFunc: (dy, _, attrs) => {
    const parts = tf.unstack(dy as Tensor, (attrs as unknown as { axis: number }).axis);
    return Object.fromEntries(parts.map((part, i) => [i, () => part]));
  },
};

const unpack: GradConfig = {
  kernelName: 'Unpack',
  gradFunc: (dys, _, attrs) => {
    const { axis } = attrs as unknown as { axis: number };
    return { value: () => tf.stack(list(dys), axis) };
  },
};

/** Each axis of the output is seen as [repetitions, size]; the gradient is the sum over the repetitions. */
const tile: GradConfig = {
  kernelName: 'Tile',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const { reps } = attrs as unknown as { reps: number[] };
    return {
      x: () => {
        let grad = dy as Tensor;
        reps.forEach((times, axis) => {
          if (times === 1) return;
          const shape = [...grad.shape];
          shape.splice(axis, 1, times, x!.shape[axis]!);
          grad = tf.sum(tf.reshape(grad, shape), axis);
        });
        return tf.reshape(grad, x!.shape);
      },
    };
  },
};

const reverse: GradConfig = {
  kernelName: 'Reverse',
  gradFunc: (dy, _, attrs) => {
    const { dims } = attrs as unknown as { dims: number | number[] };
    return { x: () => tf.reverse(dy as Tensor, dims) };
  },
};

/** Gradients of operations that move values without changing them. */
export const shapeGradients: GradConfig[] = [
  reshaped('Reshape', 'x'),
  reshaped('ExpandDims', 'input'),
  transpose,
  slice,
  pad,
  concat,
  split,
  pack,
  unpack,
  tile,
  reverse,
];
