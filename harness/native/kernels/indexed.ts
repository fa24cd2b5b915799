/** @file Kernels that follow indices, and constant tensors. */
import type * as Tf from '@tensorflow/tfjs-core';
import { isServed } from '../backend.ts';
import { type Args, type Context, output, override, sizeOf } from '../registry.ts';

function gather({ tf, addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const { x, indices } = inputs as Record<'x' | 'indices', Tf.TensorInfo>;
  if (!isServed(x.dtype) || indices.dtype !== 'int32') return undefined;
  const axis = tf.util.parseAxisParam(attrs['axis'] as number, x.shape)[0]!;
  const batchDims = (attrs['batchDims'] as number | undefined) ?? 0;
  const shape = tf.backend_util.segment_util.collectGatherOpShapeInfo(
    x as Tf.Tensor,
    indices as Tf.Tensor,
    axis,
    batchDims,
  );
  const xValues = backend.valuesOf(x);
  const { info, values } = output(backend, shape.outputShape, x.dtype);
  const count = shape.batchSize === 0 ? 0 : sizeOf(indices.shape) / shape.batchSize;
  addon.params.set([shape.batchSize, shape.outerSize, count, shape.dimSize, shape.sliceSize]);
  addon.gather(values, xValues, backend.valuesOf(indices));
  return info;
}

function segmentSum({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const { x, segmentIds } = inputs as Record<'x' | 'segmentIds', Tf.TensorInfo>;
  if (x.dtype !== 'float32' || segmentIds.dtype !== 'int32' || segmentIds.shape.length !== 1) return undefined;
  const segments = attrs['numSegments'] as number;
  const inner = x.shape.slice(1);
  const { info, values } = output(backend, [segments, ...inner], 'float32');
  addon.params.set([x.shape[0]!, sizeOf(inner), segments]);
  addon.segmentSum(values, backend.valuesOf(x), backend.valuesOf(segmentIds));
  return info;
}

/** SaxSegmentSum: the same along the dimension `axis`. */
function segmentSumAlong({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo {
  const { x, segmentIds } = inputs as Record<'x' | 'segmentIds', Tf.TensorInfo>;
  const { axis, numSegments } = attrs as { axis: number; numSegments: number };
  const [outer, inner] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const { info, values } = output(backend, [...outer, numSegments, ...inner], 'float32');
  addon.params.set([sizeOf(outer), x.shape[axis]!, sizeOf(inner), numSegments]);
  addon.segmentSumAlong(values, backend.valuesOf(x), backend.valuesOf(segmentIds));
  return info;
}

function gatherNd({ tf, addon }: Context, { inputs, backend }: Args): Tf.TensorInfo | undefined {
  const { params, indices } = inputs as Record<'params' | 'indices', Tf.TensorInfo>;
  if (!isServed(params.dtype) || indices.dtype !== 'int32' || sizeOf(params.shape) === 0) return undefined;
  const [shape, tuples, slice, strides] = tf.backend_util.prepareAndValidate(params, indices);
  const depth = indices.shape.at(-1)!;
  const { info, values } = output(backend, shape, params.dtype);
  addon.params.set([0, tuples, depth, slice, sizeOf(params.shape) / slice, ...strides]);
  addon.tuples(values, backend.valuesOf(params), backend.valuesOf(indices));
  return info;
}

function scatterNd({ tf, addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const { indices, updates } = inputs as Record<'indices' | 'updates', Tf.TensorInfo>;
  const shape = attrs['shape'] as number[];
  if ((updates.dtype !== 'float32' && updates.dtype !== 'int32') || indices.dtype !== 'int32') return undefined;
  if (sizeOf(shape) === 0) return undefined;
  const { sliceRank, numUpdates, sliceSize, strides } = tf.backend_util.calculateShapes(updates, indices, shape);
  const { info, values } = output(backend, shape, updates.dtype);
  addon.params.set([1, numUpdates, sliceRank, sliceSize, sizeOf(shape) / sliceSize, ...strides]);
  addon.tuples(values, backend.valuesOf(updates), backend.valuesOf(indices));
  return info;
}

function oneHot({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const indices = inputs['indices']!;
  const { dtype, depth, onValue, offValue } = attrs as Record<'depth' | 'onValue' | 'offValue', number> & {
    dtype: string;
  };
  if (indices.dtype !== 'int32' || !isServed(dtype)) return undefined;
  const { info, values } = output(backend, [...indices.shape, depth], dtype);
  addon.params.set([sizeOf(indices.shape), depth, onValue, offValue]);
  addon.oneHot(values, backend.valuesOf(indices));
  return info;
}

function registerConstants(context: Context): void {
  const constant = (shape: number[], dtype: string, value: number, backend: Args['backend']) => {
    if (!isServed(dtype)) return undefined;
    const { info, values } = output(backend, shape, dtype);
    context.addon.params[0] = value;
    context.addon.fill(values);
    return info;
  };
  override(context, 'Fill', ({ attrs, backend }) => {
    const value = attrs['value'];
    if (typeof value !== 'number') return undefined;
    return constant(attrs['shape'] as number[], (attrs['dtype'] as string | undefined) ?? 'float32', value, backend);
  });
  override(context, 'ZerosLike', ({ inputs, backend }) => constant(inputs['x']!.shape, inputs['x']!.dtype, 0, backend));
  override(context, 'OnesLike', ({ inputs, backend }) => constant(inputs['x']!.shape, inputs['x']!.dtype, 1, backend));
}

/** Registers gather, scatter, segment sum, one-hot and constants. */
export function registerIndexed(context: Context): void {
  override(context, 'GatherV2', (args) => gather(context, args));
  override(context, 'UnsortedSegmentSum', (args) => segmentSum(context, args));
  if ('segmentSumAlong' in context.addon) override(context, 'SaxSegmentSum', (args) => segmentSumAlong(context, args));
  override(context, 'GatherNd', (args) => gatherNd(context, args));
  override(context, 'ScatterNd', (args) => scatterNd(context, args));
  override(context, 'OneHot', (args) => oneHot(context, args));
  registerConstants(context);
}
