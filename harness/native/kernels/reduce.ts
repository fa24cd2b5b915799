/** @file Reductions over any axes, cumulative sums, softmax and the largest k. */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Values } from '../addon.ts';
import type { NativeBackend } from '../backend.ts';
import { type Context, output, override, sizeOf } from '../registry.ts';
import { stridesOf, writeWalk } from '../strides.ts';

/** The numbering of reduce.cc. */
const reductions = ['Sum', 'Mean', 'Prod', 'Max', 'Min', 'All', 'Any', 'ArgMax', 'ArgMin'];

type DType = 'float32' | 'int32' | 'bool';

/** Result type of a reduction, or undefined where the CPU kernel must serve. */
function resultType(name: string, dtype: string): DType | undefined {
  if (name === 'All' || name === 'Any') return dtype === 'bool' ? 'bool' : undefined;
  if (dtype !== 'float32' && (dtype !== 'int32' || name === 'Mean' || name === 'Prod')) return undefined;
  return name.startsWith('Arg') ? 'int32' : dtype;
}

/**
 * [outer, reduce, inner] of a reduction over sorted `axes`, and the values in that order: the tensor's own when the axes
 * are neighbours (dimensions of size 1 aside), a transposed copy otherwise.
 */
function arrange(
  { addon }: Context,
  backend: NativeBackend,
  x: Tf.TensorInfo,
  axes: number[],
): { outer: number; reduce: number; inner: number; values: Values } {
  const reduced = new Set(axes);
  const reduce = sizeOf(axes.map((axis) => x.shape[axis]!));
  const wide = x.shape.map((dim, axis) => ({ dim, axis })).filter(({ dim }) => dim !== 1);
  const first = wide.findIndex(({ axis }) => reduced.has(axis));
  const last = wide.findLastIndex(({ axis }) => reduced.has(axis));
  const outer = sizeOf(wide.slice(0, Math.max(first, 0)).map(({ dim }) => dim));
  if (first < 0) return { outer: sizeOf(x.shape) / reduce, reduce, inner: 1, values: backend.valuesOf(x) };
  if (wide.slice(first, last).every(({ axis }) => reduced.has(axis))) {
    return { outer, reduce, inner: sizeOf(wide.slice(last + 1).map(({ dim }) => dim)), values: backend.valuesOf(x) };
  }
  const order = [...x.shape.keys()].filter((axis) => !reduced.has(axis)).concat(axes);
  const shape = order.map((axis) => x.shape[axis]!);
  const source = backend.valuesOf(x);
  const values = new (source.constructor as Float32ArrayConstructor)(source.length) as Values;
  const strides = stridesOf(x.shape);
  addon.params[0] = 0;
  addon.params[1] = 0;
  writeWalk(addon.params, 2, shape, [stridesOf(shape), order.map((axis) => strides[axis]!)]);
  addon.copy(values, source);
  return { outer: sizeOf(shape) === 0 ? 0 : sizeOf(shape) / reduce, reduce, inner: 1, values };
}

function registerReductions(context: Context): void {
  const { tf, addon } = context;
  reductions.forEach((name, op) => {
    override(context, name, ({ inputs, attrs, backend }) => {
      const x = inputs['x']!;
      const dtype = resultType(name, x.dtype);
      if (!dtype || sizeOf(x.shape) === 0) return undefined;
      const asked = (name === 'Max' ? attrs['reductionIndices'] : attrs['axis']) as number | number[];
      let axes = tf.util.parseAxisParam(asked, x.shape).sort((a, b) => a - b);
      if (name.startsWith('Arg')) axes = axes.slice(0, 1);
      const reduced = new Set(axes);
      if (reduced.size < axes.length) return undefined;
      const keep = attrs['keepDims'] as boolean | undefined;
      const shape = x.shape.flatMap((dim, axis) => (reduced.has(axis) ? (keep ? [1] : []) : [dim]));
      const { outer, reduce, inner, values } = arrange(context, backend, x, axes);
      const result = output(backend, shape, dtype);
      const { params } = addon;
      params[0] = op;
      params[1] = outer;
      params[2] = reduce;
      params[3] = inner;
      addon.reduction(result.values, values);
      return result.info;
    });
  });
}

function registerCumsum(context: Context): void {
  const { tf, addon } = context;
  override(context, 'Cumsum', ({ inputs, attrs, backend }) => {
    const x = inputs['x']!;
    if ((x.dtype !== 'float32' && x.dtype !== 'int32') || sizeOf(x.shape) === 0) return undefined;
    const axis = tf.util.parseAxisParam(attrs['axis'] as number, x.shape)[0]!;
    const { info, values } = output(backend, x.shape, x.dtype);
    const { params } = addon;
    params[0] = sizeOf(x.shape.slice(0, axis));
    params[1] = x.shape[axis]!;
    params[2] = sizeOf(x.shape.slice(axis + 1));
    params[3] = attrs['exclusive'] ? 1 : 0;
    params[4] = attrs['reverse'] ? 1 : 0;
    addon.cumulativeSum(values, backend.valuesOf(x));
    return info;
  });
}

function registerSoftmax(context: Context): void {
  const { addon } = context;
  override(context, 'Softmax', ({ inputs, attrs, backend }) => {
    const x = inputs['logits']!;
    const dim = attrs['dim'] as number;
    if (x.dtype !== 'float32' || x.shape.length === 0 || sizeOf(x.shape) === 0) return undefined;
    if (dim !== -1 && dim !== x.shape.length - 1) return undefined;
    const { info, values } = output(backend, x.shape, 'float32');
    const n = x.shape.at(-1)!;
    addon.params[0] = sizeOf(x.shape) / n;
    addon.params[1] = n;
    addon.params[2] = 0;
    addon.softmax(values, backend.valuesOf(x));
    return info;
  });
}

function registerTopK(context: Context): void {
  const { addon } = context;
  override(context, 'TopK', ({ inputs, attrs, backend }) => {
    const x = inputs['x']!;
    const k = attrs['k'] as number;
    const n = x.shape.at(-1) ?? 0;
    if ((x.dtype !== 'float32' && x.dtype !== 'int32') || sizeOf(x.shape) === 0 || k > n) return undefined;
    const shape = [...x.shape.slice(0, -1), k];
    const top = output(backend, shape, x.dtype);
    const indices = output(backend, shape, 'int32');
    addon.params[0] = sizeOf(x.shape) / n;
    addon.params[1] = n;
    addon.params[2] = k;
    addon.topK(top.values, indices.values, backend.valuesOf(x));
    return [top.info, indices.info];
  });
}

/** Registers the kernels that reduce or rank. */
export function registerReduce(context: Context): void {
  registerReductions(context);
  registerCumsum(context);
  registerSoftmax(context);
  registerTopK(context);
}
