/** @file Elementwise kernels: functions of one and two tensors, casts, clipping, selection, sums of many. SaxReluGrad (dy, y): dy · 1[y > 0]. */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Args, type Context, output, override, sharing, sizeOf } from '../registry.ts';
import { broadcastStrides, writeWalk } from '../strides.ts';

/** The numbering of binary.cc. */
const binaryOperations = [
  ...['Add', 'Sub', 'Multiply', 'Maximum', 'Minimum', 'SquaredDifference'],
  ...['RealDiv', 'Pow', 'Prelu', 'EluGrad', 'Mod', 'Atan2', 'SaxReluGrad'],
  ...['Equal', 'NotEqual', 'Less', 'LessEqual', 'Greater', 'GreaterEqual', 'LogicalAnd', 'LogicalOr'],
];
const firstReal = 6;
const firstComparison = 13;
const firstLogical = 19;

/** The numbering of unary.cc. */
const unaryOperations = [
  ...['Abs', 'Neg', 'Exp', 'Expm1', 'Log', 'Log1p', 'Sqrt', 'Rsqrt', 'Square', 'Relu', 'Relu6', 'LeakyRelu', 'Elu'],
  ...['Selu', 'Sigmoid', 'Tanh', 'Step', 'Softplus', 'Sin', 'Cos', 'Floor', 'Ceil', 'Round', 'Reciprocal', 'Sign'],
  ...['Erf', 'ClipByValue'],
];

const inputNames: Record<string, [string, string]> = {
  Prelu: ['x', 'alpha'],
  EluGrad: ['dy', 'y'],
  SaxReluGrad: ['dy', 'y'],
};

/** Whether operation `op` is native for two operands of these types. */
function servesTypes(op: number, a: string, b: string): boolean {
  if (a !== b) return false;
  if (op >= firstLogical) return a === 'bool';
  if (op >= firstComparison) return a === 'float32' || a === 'int32' || a === 'bool';
  return a === 'float32' || (op < firstReal && a === 'int32');
}

function registerBinary(context: Context): void {
  const { tf, addon } = context;
  binaryOperations.forEach((name, op) => {
    const [first, second] = inputNames[name] ?? ['a', 'b'];
    override(context, name, ({ inputs, backend }) => {
      const a = inputs[first]!;
      const b = inputs[second]!;
      if (!servesTypes(op, a.dtype, b.dtype)) return undefined;
      const shape = sameShape(a.shape, b.shape)
        ? a.shape
        : tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
      const aValues = backend.valuesOf(a);
      const bValues = backend.valuesOf(b);
      const dtype = op >= firstComparison ? 'bool' : (a.dtype as 'float32' | 'int32');
      const { info, values } = output(backend, shape, dtype);
      const { params } = addon;
      if (name === 'Pow' && b.shape.length === 0) {
        params[0] = bValues[0]!;
        addon.powScalar(values, aValues);
        return info;
      }
      params[0] = op;
      writeWalk(params, 1, shape, [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)]);
      addon.binary(values, aValues, bValues);
      return info;
    });
  });
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, d) => dim === b[d]);
}

/** The two scalar parameters of a unary operation. */
function unaryScalars(tf: typeof Tf, name: string, attrs: Args['attrs']): [number, number] {
  if (name === 'ClipByValue') return [attrs['clipValueMin'] as number, attrs['clipValueMax'] as number];
  if (name === 'Selu') return [tf.backend_util.SELU_SCALEALPHA, tf.backend_util.SELU_SCALE];
  return [(attrs?.['alpha'] as number | undefined) ?? 0, 0];
}

function registerUnary(context: Context): void {
  const { tf, addon } = context;
  unaryOperations.forEach((name, op) => {
    override(context, name, ({ inputs, attrs, backend }) => {
      const x = inputs['x']!;
      if (x.dtype !== 'float32') return undefined;
      const xValues = backend.valuesOf(x);
      const { info, values } = output(backend, x.shape, 'float32');
      addon.params[0] = op;
      [addon.params[1], addon.params[2]] = unaryScalars(tf, name, attrs);
      addon.unary(values, xValues);
      return info;
    });
  });
}

function registerCast(context: Context): void {
  const { addon } = context;
  override(context, 'Cast', ({ inputs, attrs, backend }) => {
    const x = inputs['x']!;
    const dtype = attrs['dtype'] as string;
    const served = ['float32', 'int32', 'bool'];
    if (!served.includes(x.dtype) || !served.includes(dtype)) return undefined;
    if (x.dtype === dtype) return sharing(backend, x, x.shape);
    const { info, values } = output(backend, x.shape, dtype as 'float32');
    addon.cast(values, backend.valuesOf(x));
    return info;
  });
}

function registerSelect(context: Context): void {
  const { addon } = context;
  override(context, 'Select', ({ inputs, backend }) => {
    const { condition, t, e } = inputs as Record<'condition' | 't' | 'e', Tf.TensorInfo>;
    const served = t.dtype === e.dtype && ['float32', 'int32', 'bool'].includes(t.dtype);
    if (!served || condition.dtype !== 'bool' || !sameShape(condition.shape, t.shape)) return undefined;
    const { info, values } = output(backend, t.shape, t.dtype as 'float32');
    addon.select(values, backend.valuesOf(condition), backend.valuesOf(t), backend.valuesOf(e));
    return info;
  });
}

function registerAddN(context: Context): void {
  const { addon } = context;
  override(context, 'AddN', ({ inputs, backend }) => {
    const tensors = Object.values(inputs);
    const [first, second] = tensors;
    if (!first || !second || tensors.some((each) => each.dtype !== 'float32')) return undefined;
    const { info, values } = output(backend, first.shape, 'float32');
    let sum = backend.valuesOf(first);
    for (const next of tensors.slice(1)) {
      addon.params.set([binaryOperations.indexOf('Add'), 1, sizeOf(first.shape), 1, 1]);
      addon.binary(values, sum, backend.valuesOf(next));
      sum = values;
    }
    return info;
  });
}

/** Registers all elementwise kernels. */
export function registerElementwise(context: Context): void {
  registerBinary(context);
  registerUnary(context);
  registerCast(context);
  registerSelect(context);
  registerAddN(context);
}
