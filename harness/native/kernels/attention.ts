/**
 * @file Attention's kernels, for num/ops/attention.ts, rotary.ts and key-value-cache.ts. All float32 but `seen`, which is
 * bool [n, columns] or absent. Attributes of the first two: n, t, columns, capacity, heads, kvHeads, width, scale, causal, window (0: all columns).
 *
 * | kernel | inputs | attrs | outputs |
 * |---|---|---|---|
 * | SaxAttention | q [n·t, heads·width], k and v [n·capacity, kvHeads·width], seen | above | mixed (as q), sums [n, heads, t] |
 * | SaxAttentionGrad | dy, mixed, sums, q, k, v, seen | above | dq, dk, dv |
 * | SaxRotary | x [rows, heads·width], cos, sin [positions, width/2] | heads, direction 1 or -1 | y |
 * | SaxCacheWrite | cache [n·capacity, w], rows [n·t, w] | n, column | none: cache's columns from `column` on are overwritten |
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Args, type Context, output, override } from '../registry.ts';

const everywhere = new Uint8Array(0);
const sizes = ['n', 't', 'columns', 'capacity', 'heads', 'kvHeads', 'width', 'scale', 'causal', 'window'];

function setSizes({ addon }: Context, attrs: Args['attrs']): void {
  sizes.forEach((name, i) => {
    addon.params[i] = Number(attrs[name]);
  });
}

function attention(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const { q, k, v, seen } = inputs as Record<'q' | 'k' | 'v', Tf.TensorInfo> & { seen?: Tf.TensorInfo };
  const mixed = output(backend, q.shape, 'float32');
  const sums = output(backend, [attrs['n'], attrs['heads'], attrs['t']] as number[], 'float32');
  const read = [q, k, v].map((info) => backend.valuesOf(info));
  setSizes(context, attrs);
  context.addon.attention(mixed.values, sums.values, ...read, seen ? backend.valuesOf(seen) : everywhere);
  return [mixed.info, sums.info];
}

function attentionGrad(context: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const outputs = ['q', 'k', 'v'].map((name) => output(backend, inputs[name]!.shape, 'float32'));
  const read = ['dy', 'mixed', 'sums', 'q', 'k', 'v'].map((name) => backend.valuesOf(inputs[name]!));
  const seen = inputs['seen'] ? backend.valuesOf(inputs['seen']) : everywhere;
  setSizes(context, attrs);
  context.addon.attentionGrad(...outputs.map(({ values }) => values), ...read, seen);
  return outputs.map(({ info }) => info);
}

function rotary({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo {
  const { x, cos, sin } = inputs as Record<'x' | 'cos' | 'sin', Tf.TensorInfo>;
  const [rows, step] = x.shape as [number, number];
  const heads = attrs['heads'] as number;
  const { info, values } = output(backend, x.shape, 'float32');
  const read = [x, cos, sin].map((each) => backend.valuesOf(each));
  addon.params.set([rows, heads, step / heads, cos.shape[0]!, attrs['direction'] as number]);
  addon.rotary(values, ...read);
  return info;
}

function cacheWrite({ addon }: Context, { inputs, attrs, backend }: Args): Tf.TensorInfo[] {
  const { cache, rows } = inputs as Record<'cache' | 'rows', Tf.TensorInfo>;
  const n = attrs['n'] as number;
  const [total, width] = cache.shape as [number, number];
  const [target, source] = [backend.valuesOf(cache), backend.valuesOf(rows)];
  addon.params.set([n, rows.shape[0]! / n, total / n, width, attrs['column'] as number]);
  addon.cacheWrite(target, source);
  return [];
}

/** Registers the kernels of attention. */
export function registerAttention(context: Context): void {
  override(context, 'SaxAttention', (args) => attention(context, args));
  override(context, 'SaxAttentionGrad', (args) => attentionGrad(context, args));
  override(context, 'SaxRotary', (args) => rotary(context, args));
  override(context, 'SaxCacheWrite', (args) => cacheWrite(context, args));
}
