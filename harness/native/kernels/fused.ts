/**
 * @file Kernels of our own, for `tf.engine().runKernel(name, inputs, attrs)` where `tf.getKernel(name, tf.getBackend())`
 * exists. All float32.
 *
 * | kernel | inputs | attrs | outputs |
 * |---|---|---|---|
 * | SaxRmsNorm | x [..., n], gain [n] or absent | epsilon | y, rstd [..., 1] |
 * | SaxLayerNorm | x [..., n], gain, bias [n] or absent | epsilon | y, mean [..., 1], rstd [..., 1] |
 * | SaxRmsNormGrad | dy, x, rstd, gain or absent | | dx, h (the normalised x; dgain = sum of dy·h over rows) |
 * | SaxLayerNormGrad | dy, x, mean, rstd, gain or absent | | dx, h (as above; dbias = sum of dy) |
 * | SaxSoftmaxGrad | dy, y [..., n] | | dx = (dy - sum(dy·y))·y |
 * | SaxLogSoftmax | x [..., n] | | log-softmax over the last dimension |
 * | SaxLogSoftmaxGrad | dy, y [..., n] | | dx = dy - sum(dy)·exp(y) |
 * | SaxLogSumExp | x [rows, n] | | ln Σ exp of each row [rows] |
 * | SaxDraw | weights [rows, n], u (int32 [2 · rows], the bits of float64) | | int32 [rows]: an index each, drawn by its weight |
 */
import type * as Tf from '@tensorflow/tfjs-core';
import type { Values } from '../addon.ts';
import type { NativeBackend } from '../backend.ts';
import { type Args, type Context, output, override, sizeOf } from '../registry.ts';

const none = new Float32Array(0);

/** Rows, their length, and the shape with the last dimension 1. */
function rowsOf(x: Tf.TensorInfo): { rows: number; n: number; short: number[] } {
  const n = x.shape.at(-1);
  if (x.dtype !== 'float32' || n === undefined || n === 0) {
    throw new Error(`native backend: expected a float32 tensor with a last dimension, got ${x.dtype} [${x.shape}]`);
  }
  return { rows: sizeOf(x.shape) / n, n, short: [...x.shape.slice(0, -1), 1] };
}

function optional(backend: NativeBackend, x: Tf.TensorInfo | undefined | null): Values {
  return x ? backend.valuesOf(x) : none;
}

function norm({ addon }: Context, centred: boolean, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const x = inputs['x']!;
  const { rows, n, short } = rowsOf(x);
  const y = output(backend, x.shape, 'float32');
  const mean = output(backend, short, 'float32');
  const rstd = output(backend, short, 'float32');
  addon.params.set([rows, n, attrs['epsilon'] as number, centred ? 1 : 0]);
  const gain = optional(backend, inputs['gain']);
  addon.norm(y.values, mean.values, rstd.values, backend.valuesOf(x), gain, optional(backend, inputs['bias']));
  if (centred) return [y.info, mean.info, rstd.info];
  backend.disposeIntermediateTensorInfo(mean.info);
  return [y.info, rstd.info];
}

function normGrad({ addon }: Context, centred: boolean, { inputs, backend }: Args): Tf.TensorInfo[] {
  const { dy, x, rstd } = inputs as Record<'dy' | 'x' | 'rstd', Tf.TensorInfo>;
  const { rows, n } = rowsOf(x);
  const dx = output(backend, x.shape, 'float32');
  const h = output(backend, x.shape, 'float32');
  const mean = centred ? backend.valuesOf(inputs['mean']!) : new Float32Array(rows);
  addon.params.set([rows, n, centred ? 1 : 0]);
  const gain = optional(backend, inputs['gain']);
  addon.normGrad(dx.values, h.values, backend.valuesOf(dy), backend.valuesOf(x), mean, backend.valuesOf(rstd), gain);
  return [dx.info, h.info];
}

function softmaxGrad({ addon }: Context, logarithm: boolean, { inputs, backend }: Args): Tf.TensorInfo {
  const { dy, y } = inputs as Record<'dy' | 'y', Tf.TensorInfo>;
  const { rows, n } = rowsOf(y);
  const { info, values } = output(backend, y.shape, 'float32');
  addon.params.set([rows, n, logarithm ? 1 : 0]);
  addon.softmaxGrad(values, backend.valuesOf(dy), backend.valuesOf(y));
  return info;
}

function logSoftmax({ addon }: Context, { inputs, backend }: Args): Tf.TensorInfo {
  const x = inputs['x']!;
  const { rows, n } = rowsOf(x);
  const { info, values } = output(backend, x.shape, 'float32');
  addon.params.set([rows, n, 1]);
  addon.softmax(values, backend.valuesOf(x));
  return info;
}

function logSumExp({ addon }: Context, { inputs, backend }: Args): Tf.TensorInfo {
  const x = inputs['x']!;
  const { rows, n } = rowsOf(x);
  const { info, values } = output(backend, [rows], 'float32');
  addon.params.set([rows, n]);
  addon.logSumExp(values, backend.valuesOf(x));
  return info;
}

function draw({ addon }: Context, { inputs, backend }: Args): Tf.TensorInfo {
  const { weights, u } = inputs as Record<'weights' | 'u', Tf.TensorInfo>;
  const { rows, n } = rowsOf(weights);
  const { info, values } = output(backend, [rows], 'int32');
  addon.params.set([rows, n]);
  addon.drawRows(values, backend.valuesOf(weights), backend.valuesOf(u));
  return info;
}

/** Registers the Sax… kernels. */
export function registerFused(context: Context): void {
  override(context, 'SaxRmsNorm', (args) => norm(context, false, args));
  override(context, 'SaxLayerNorm', (args) => norm(context, true, args));
  override(context, 'SaxRmsNormGrad', (args) => normGrad(context, false, args));
  override(context, 'SaxLayerNormGrad', (args) => normGrad(context, true, args));
  override(context, 'SaxSoftmaxGrad', (args) => softmaxGrad(context, false, args));
  override(context, 'SaxLogSoftmax', (args) => logSoftmax(context, args));
  override(context, 'SaxLogSumExp', (args) => logSumExp(context, args));
  override(context, 'SaxDraw', (args) => draw(context, args));
  override(context, 'SaxLogSoftmaxGrad', (args) => softmaxGrad(context, true, args));
}
