/**
 * @file A transformer block in one kernel, for num/ops/block.ts. All float32 but `seen`, which is bool [n, columns] or absent.
 *
 * | kernel | inputs | attrs | outputs |
 * |---|---|---|---|
 * | SaxPackLinear | w [in, out] | | w as SaxBlock reads it, flat |
 * | SaxBlock | x [n·t, d], weights (flat), cos, sin, seen, keys, values [n·capacity, kvHeads·width], all but two or absent | n, t, columns, capacity, firstColumn, window, shape | y as x ([n, d] with firstColumn); keys and values are written to |
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Context, output, override, sizeOf } from '../registry.ts';
import { FUNCTIONS } from './activation.ts';

/** The room of a packed weight is of whole such columns. */
const PACKED_COLUMNS = 32;
const none = new Float32Array(0);
const everywhere = new Uint8Array(0);

/** Attributes of SaxBlock: what one pass has, and what is fixed about the block (`BlockShape` in num/ops/block.ts). */
interface BlockAttrs {
  n: number;
  t: number;
  columns: number;
  capacity: number;
  firstColumn: boolean;
  /** 0: of all columns. */
  window: number;
  shape: {
    heads: number;
    kvHeads: number;
    headDim: number;
    causal: boolean;
    d: number;
    mlp: number;
    norm: 'rms' | 'layer';
    epsilon: number;
    activation: string;
    gated: boolean;
    bias: { attention: boolean; mlp: boolean };
  };
}

/** Writes the parameters of block.cc. */
function setParams(params: Float64Array, attrs: BlockAttrs, positions: number): void {
  const { shape } = attrs;
  params[0] = attrs.n;
  params[1] = attrs.t;
  params[2] = attrs.columns;
  params[3] = attrs.capacity;
  params[4] = shape.heads;
  params[5] = shape.kvHeads;
  params[6] = shape.headDim;
  params[7] = shape.headDim ** -0.5;
  params[8] = shape.causal ? 1 : 0;
  params[9] = attrs.window;
  params[10] = shape.d;
  params[11] = shape.mlp;
  params[12] = shape.norm === 'layer' ? 1 : 0;
  params[13] = shape.epsilon;
  params[14] = FUNCTIONS.indexOf(shape.activation);
  params[15] = shape.gated ? 1 : 0;
  params[16] = shape.bias.attention ? 1 : 0;
  params[17] = shape.bias.mlp ? 1 : 0;
  params[18] = attrs.firstColumn ? 1 : 0;
  params[19] = positions;
}

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
    const pass = attrs as unknown as BlockAttrs;
    const y = output(backend, pass.firstColumn ? [pass.n, pass.shape.d] : x!.shape, 'float32');
    setParams(addon.params, pass, cos ? cos.shape[0]! : 0);
    const read = (info: Tf.TensorInfo | undefined) => (info && sizeOf(info.shape) > 0 ? backend.valuesOf(info) : none);
    const mask = seen ? backend.valuesOf(seen) : everywhere;
    addon.block(y.values, read(x), read(weights), read(cos), read(sin), mask, read(keys), read(values));
    return y.info;
  });
}
