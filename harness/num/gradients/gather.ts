/** @file Gradients of gathering, scattering and selection of the largest values. */
import type { GradConfig, Tensor1D } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels/own.ts';
import { type Tensor, tf } from '../tf.ts';

/** A bare number would turn the ids into float32. */
const int = (value: number) => tf.scalar(value, 'int32');

const gather: GradConfig = {
  kernelName: 'GatherV2',
  inputsToSave: ['x', 'indices'],
  gradFunc: (dy, [x, indices], attrs) => {
    const { axis, batchDims } = attrs as unknown as { axis: number; batchDims: number };
    if (batchDims !== 0) throw new Error(`gradient of gather: batchDims must be 0, got ${batchDims}`);
    const [along] = tf.util.parseAxisParam(axis, x!.shape);
    return {
      x: () => {
        const outer = x!.shape.slice(0, along);
        const inner = x!.shape.slice(along! + 1);
        const rows = tf.reshape(dy as Tensor, [...outer, indices!.size, ...inner]);
        const ids = tf.reshape(indices!, [indices!.size]) as Tensor1D;
        if (along === 0) return tf.unsortedSegmentSum(rows, ids, x!.shape[0]!);
        const numSegments = x!.shape[along!]!;
        if (hasKernel('SaxSegmentSum')) {
          return runKernel('SaxSegmentSum', { x: rows, segmentIds: ids }, { numSegments, axis: along! });
        }
        const front = [along!, ...x!.shape.map((_, i) => i).filter((i) => i !== along)];
        const summed = tf.unsortedSegmentSum(tf.transpose(rows, front), ids, numSegments);
        return tf.transpose(
          summed,
          front.map((_, i) => front.indexOf(i)),
        );
      },
      indices: () => tf.zeros(indices!.shape),
    };
  },
};

/** Rows whose id is negative or too large went nowhere, so nothing comes back to them. */
const unsortedSegmentSum: GradConfig = {
  kernelName: 'UnsortedSegmentSum',
  inputsToSave: ['x', 'segmentIds'],
  gradFunc: (dy, [x, segmentIds], attrs) => {
    const last = (attrs as unknown as { numSegments: number }).numSegments - 1;
    return {
      x: () => {
        // Not clipByValue: the wasm kernel treats the bits of int32 as float32.
        const rows = tf.gather(dy as Tensor, tf.minimum(tf.maximum(segmentIds!, int(0)), int(last)));
        const inside = tf.logicalAnd(tf.greaterEqual(segmentIds!, 0), tf.lessEqual(segmentIds!, last));
        const mask = tf.reshape(tf.cast(inside, 'float32'), [...inside.shape, ...x!.shape.slice(inside.rank).fill(1)]);
        return tf.mul(rows, mask);
      },
      segmentIds: () => tf.zeros(segmentIds!.shape),
    };
  },
};

/** Scatters the gradient of the kept values back to where they came from (tfjs itself has no gradient for TopK). */
const topK: GradConfig = {
  kernelName: 'TopK',
  inputsToSave: ['x'],
  outputsToSave: [false, true],
  gradFunc: (dys, [x, indices]) => ({
    x: () => {
      const width = x!.shape[x!.rank - 1]!;
      const k = indices!.shape[indices!.rank - 1]!;
      const rows = x!.size / Math.max(1, width);
      const offsets = tf.mul(tf.range(0, rows, 1, 'int32'), int(width));
      const flat = tf.add(tf.reshape(indices!, [rows, k]), tf.expandDims(offsets, 1));
      const values = tf.reshape((dys as Tensor[])[0]!, [rows * k]);
      const scattered = tf.unsortedSegmentSum(values, tf.reshape(flat, [rows * k]) as Tensor1D, rows * width);
      return tf.reshape(scattered, x!.shape);
    },
  }),
};

const oneHot: GradConfig = {
  kernelName: 'OneHot',
  inputsToSave: ['indices'],
  gradFunc: (_, [indices]) => ({ indices: () => tf.zeros(indices!.shape) }),
};

/** Gradients of gathering, scattering and selection of the largest values. */
export const gatherGradients: GradConfig[] = [gather, unsortedSegmentSum, topK, oneHot];
