/**
 * @file A transformer block in one kernel, for num/ops/block.ts. All float32 but `seen`, which is bool [n, columns] or absent.
 *
 * | kernel | inputs | attrs | outputs |
 * |---|---|---|---|
 * | SaxPackLinear | w [in, out] | | w as SaxBlock reads it, flat |
 * | SaxBlock | x [n·t, d], weights (flat), cos, sin, seen, keys, values [n·capacity, kvHeads·width], all but two or absent | n, t, columns, capacity, heads, kvHeads, width, scale, causal, d, mlp, centred, epsilon, kind, gated, attentionBias, mlpBias, firstColumn | y as x ([n, d] with firstColumn); keys and values are written to |
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Context, output, override, sizeOf } from '../registry.ts';
import { FUNCTIONS } from './activation.ts';

/** The room of a packed weight is of whole such columns. */
const PACKED_COLUMNS = 32;
const none = new Float32Array(0);
const everywhere = new Uint8Array(0);

/** The parameters of block.cc before the number of positions; `kind` as a number. */
const numbers = [
  ...[
    'n',
    't',
    'columns',
    'capacity',
    'heads',
    'kvHeads',
    'width',
    'scale',
    'causal',
    'd',
    'mlp',
    'centred',
    'epsilon',
  ],
  ...['kind', 'gated', 'attentionBias', 'mlpBias', 'firstColumn'],
];

/** Registers the kernels. */
export function registerBlock(context: Context): void {
  const { addon } = context;
  override(context, 'SaxPackLinear', ({ inputs, backend }) => {
    const w = inputs['w']!;
    const [depth, width] = w.shape as [number, number];
    const packed = output(backend, [depth * Math.ceil(width / PACKED_COLUMNS) * PACKED_COLUMNS], 'float32');
    addon.params[0] = depth;
    addon.params[1] = width;
    addon.packLinear(packed.values, backend.valuesOf(w));
    return packed.info;
  });
  override(context, 'SaxBlock', ({ inputs, attrs, backend }) => {
    const { x, weights, cos, sin, seen, keys, values } = inputs as Record<string, Tf.TensorInfo | undefined>;
    const [n, d] = [attrs['n'] as number, attrs['d'] as number];
    const y = output(backend, attrs['firstColumn'] ? [n, d] : x!.shape, 'float32');
    numbers.forEach((name, i) => {
      addon.params[i] = name === 'kind' ? FUNCTIONS.indexOf(attrs[name] as string) : Number(attrs[name]);
    });
    addon.params[numbers.length] = cos ? cos.shape[0]! : 0;
    const read = (info: Tf.TensorInfo | undefined) => (info && sizeOf(info.shape) > 0 ? backend.valuesOf(info) : none);
    const [xs, ws, cosines, sines, k, v] = [x, weights, cos, sin, keys, values].map(read) as Float32Array[];
    addon.block(y.values, xs!, ws!, cosines!, sines!, seen ? backend.valuesOf(seen) : everywhere, k!, v!);
    return y.info;
  });
}
