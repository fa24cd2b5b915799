/** @file Kernels that only move data: every one is a strided copy. */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Values } from '../addon.ts';
import { isServed, type NativeBackend } from '../backend.ts';
import { type Args, allServed, type Context, output, override, sharing, sizeOf } from '../registry.ts';
import { stridesOf, writeWalk } from '../strides.ts';

/** One side of a copy: the array, its first element and its strides over the copied shape. */
interface Side {
  values: Values;
  at: number;
  strides: number[];
}

function copy({ addon }: Context, shape: number[], to: Side, from: Side): void {
  addon.params[0] = to.at;
  addon.params[1] = from.at;
  writeWalk(addon.params, 2, shape, [to.strides, from.strides]);
  addon.copy(to.values, from.values);
}

/** A new dense tensor of `shape` read from `x` at element `at` with `strides`. */
function gathered(
  context: Context,
  backend: NativeBackend,
  x: Tf.TensorInfo,
  shape: number[],
  at: number,
  strides: number[],
): Tf.TensorInfo {
  const from = { values: backend.valuesOf(x), at, strides };
  const { info, values } = output(backend, shape, x.dtype as 'float32');
  copy(context, shape, { values, at: 0, strides: stridesOf(shape) }, from);
  return info;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

function sliceOf(
  context: Context,
  backend: NativeBackend,
  x: Tf.TensorInfo,
  begin: number[],
  size: number[],
): Tf.TensorInfo {
  const strides = stridesOf(x.shape);
  return gathered(context, backend, x, size, dot(begin, strides), strides);
}

function registerSlices(context: Context): void {
  const { tf } = context;
  override(context, 'Slice', ({ inputs, attrs, backend }) => {
    const x = inputs['x']!;
    if (!allServed(x)) return undefined;
    const asked = [attrs['begin'], attrs['size']] as [number[], number[]];
    const [begin, size] = tf.slice_util.parseSliceParams(x as Tf.Tensor, ...asked) as [number[], number[]];
    tf.slice_util.assertParamsValid(x, begin, size);
    return sliceOf(context, backend, x, begin, size);
  });
  override(context, 'SplitV', ({ inputs, attrs, backend }) => {
    const x = inputs['x']!;
    if (!allServed(x)) return undefined;
    const axis = tf.util.parseAxisParam(attrs['axis'] as number, x.shape)[0]!;
    const begin = x.shape.map(() => 0);
    const lengths = tf.backend_util.prepareSplitSize(x as Tf.Tensor, attrs['numOrSizeSplits'] as number[], axis);
    return lengths.map((length) => {
      const size = x.shape.map((dim, d) => (d === axis ? length : dim));
      const part = sliceOf(context, backend, x, begin, size);
      begin[axis]! += length;
      return part;
    });
  });
  override(context, 'StridedSlice', ({ inputs, attrs, backend }) => {
    const x = inputs['x']!;
    if (!allServed(x)) return undefined;
    const a = attrs as Record<'begin' | 'end' | 'strides', number[]> & Record<string, number>;
    const info = tf.slice_util.sliceInfo(
      x.shape,
      a.begin,
      a.end,
      a.strides,
      a['beginMask']!,
      a['endMask']!,
      a['ellipsisMask']!,
      a['newAxisMask']!,
      a['shrinkAxisMask']!,
    );
    if (info.isIdentity) return sharing(backend, x, info.finalShape);
    if (info.sliceDim0 || info.isSimpleSlice) return undefined;
    const strides = stridesOf(x.shape);
    const steps = strides.map((stride, d) => stride * info.strides[d]!);
    const part = gathered(context, backend, x, info.finalShapeSparse, dot(info.begin, strides), steps);
    return { ...part, shape: info.finalShape };
  });
}

function concatenate(context: Context, backend: NativeBackend, tensors: Tf.TensorInfo[], axis: number): Tf.TensorInfo {
  const shape = [...tensors[0]!.shape];
  shape[axis] = tensors.reduce((sum, each) => sum + each.shape[axis]!, 0);
  const { info, values } = output(backend, shape, tensors[0]!.dtype as 'float32');
  const strides = stridesOf(shape);
  let at = 0;
  for (const each of tensors) {
    copy(
      context,
      each.shape,
      { values, at, strides },
      { values: backend.valuesOf(each), at: 0, strides: stridesOf(each.shape) },
    );
    at += each.shape[axis]! * strides[axis]!;
  }
  return info;
}

function registerJoins(context: Context): void {
  const { tf } = context;
  override(context, 'Concat', ({ inputs, attrs, backend }) => {
    const tensors = Object.values(inputs);
    const [first] = tensors;
    if (!first || !allServed(...tensors) || tensors.some((each) => each.dtype !== first.dtype)) return undefined;
    const axis = tf.util.parseAxisParam(attrs['axis'] as number, first.shape)[0]!;
    tf.backend_util.assertParamsConsistent(
      tensors.map((each) => each.shape),
      axis,
    );
    return concatenate(context, backend, tensors, axis);
  });
  override(context, 'Pack', ({ inputs, attrs, backend }) => {
    const tensors = Object.values(inputs);
    const [first] = tensors;
    if (!first || !allServed(...tensors) || tensors.some((each) => each.dtype !== first.dtype)) return undefined;
    const axis = attrs['axis'] as number;
    for (const each of tensors)
      tf.util.assertShapesMatch(first.shape, each.shape, 'All tensors passed to stack must have matching shapes');
    const at = axis < 0 ? first.shape.length + axis + 1 : axis;
    const tall = tensors.map((each) => ({
      ...each,
      dataId: each.dataId,
      dtype: each.dtype,
      shape: each.shape.toSpliced(at, 0, 1),
    }));
    return concatenate(context, backend, tall, at);
  });
}

function transpose(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const x = inputs['x']!;
  if (!isServed(x.dtype)) return undefined;
  const perm = attrs['perm'] as number[];
  const strides = stridesOf(x.shape);
  return gathered(
    context,
    backend,
    x,
    perm.map((axis) => x.shape[axis]!),
    0,
    perm.map((axis) => strides[axis]!),
  );
}

function reverse(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const x = inputs['x']!;
  if (!isServed(x.dtype) || sizeOf(x.shape) === 0) return undefined;
  const axes = context.tf.util.parseAxisParam(attrs['dims'] as number[], x.shape);
  if (new Set(axes).size < axes.length) return undefined;
  const strides = stridesOf(x.shape);
  const start = axes.reduce((sum, axis) => sum + (x.shape[axis]! - 1) * strides[axis]!, 0);
  return gathered(
    context,
    backend,
    x,
    x.shape,
    start,
    strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
  );
}

function pad(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const x = inputs['x']!;
  if (!isServed(x.dtype)) return undefined;
  const paddings = attrs['paddings'] as [number, number][];
  const shape = x.shape.map((dim, d) => paddings[d]![0] + dim + paddings[d]![1]);
  const from = { values: backend.valuesOf(x), at: 0, strides: stridesOf(x.shape) };
  const { info, values } = output(backend, shape, x.dtype);
  context.addon.params[0] = attrs['constantValue'] as number;
  context.addon.fill(values);
  const strides = stridesOf(shape);
  copy(
    context,
    x.shape,
    {
      values,
      at: dot(
        paddings.map(([before]) => before),
        strides,
      ),
      strides,
    },
    from,
  );
  return info;
}

function tile(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo | undefined {
  const x = inputs['x']!;
  const reps = attrs['reps'] as number[];
  if (!isServed(x.dtype) || reps.length !== x.shape.length) return undefined;
  const strides = stridesOf(x.shape);
  const interleaved = x.shape.flatMap((dim, d) => [reps[d]!, dim]);
  const steps = strides.flatMap((stride) => [0, stride]);
  if (interleaved.length > 16) return undefined;
  const info = gathered(context, backend, x, interleaved, 0, steps);
  return { ...info, shape: x.shape.map((dim, d) => dim * reps[d]!) };
}

/** Another view of the same numbers, which no JavaScript gets to see: a kernel may still write over them when it is gone. */
function registerViews(context: Context): void {
  const view = (x: Tf.TensorInfo, backend: Args['backend'], shape: number[]) =>
    x.dtype === 'complex64' || sizeOf(shape) !== sizeOf(x.shape) ? undefined : sharing(backend, x, shape);
  override(context, 'Identity', ({ inputs, backend }) => view(inputs['x']!, backend, inputs['x']!.shape));
  override(context, 'Reshape', ({ inputs, attrs, backend }) => {
    const x = inputs['x']!;
    return view(x, backend, context.tf.util.inferFromImplicitShape(attrs['shape'] as number[], sizeOf(x.shape)));
  });
  override(context, 'ExpandDims', ({ inputs, attrs, backend }) => {
    const { input } = inputs as { input: Tf.TensorInfo };
    const dim = attrs['dim'] as number;
    const shape = input.shape.slice();
    shape.splice(dim < 0 ? dim + shape.length + 1 : dim, 0, 1);
    return view(input, backend, shape);
  });
}

/** Registers the kernels that move data. */
export function registerLayout(context: Context): void {
  registerViews(context);
  registerSlices(context);
  registerJoins(context);
  override(context, 'Transpose', (args) => transpose(context, args));
  override(context, 'Reverse', (args) => reverse(context, args));
  override(context, 'PadV2', (args) => pad(context, args));
  override(context, 'Tile', (args) => tile(context, args));
}
