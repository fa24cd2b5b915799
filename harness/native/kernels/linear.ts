/**
 * @file Products with packed weights, for num/ops/packed-linear.ts. Attributes of all: in, out, type (F32, BF16 or F16).
 *
 * | kernel | inputs | outputs |
 * |---|---|---|
 * | SaxPackWeight | w [out, in] | packed, flat: float32, or int32 of two numbers each |
 * | SaxUnpackWeight | packed | w [in, out] |
 * | SaxPackedRows | packed, ids (int32) | columns of w [ids, in] |
 * | SaxLinear | x [rows, in], packed, bias [out] or absent | x · w + bias [rows, out] |
 */
import type * as Tf from '@tensorflow/tfjs-core';
import { type Args, type Context, output, override, sizeOf } from '../registry.ts';

/** The numbering of linear.cc. */
const TYPES = ['F32', 'BF16', 'F16'];
/** The room of a packed weight is of whole such columns. */
const PACKED_COLUMNS = 32;
const noBias = new Float32Array(0);

/** Writes the parameters that all kernels begin with. */
function layoutOf({ addon }: Context, attrs: Args['attrs']) {
  const layout = attrs as { in: number; out: number; type: string };
  addon.params[0] = layout.in;
  addon.params[1] = layout.out;
  addon.params[2] = TYPES.indexOf(layout.type);
  return layout;
}

/** Registers the kernels. */
export function registerLinear(context: Context): void {
  const { addon } = context;
  override(context, 'SaxPackWeight', ({ inputs, attrs, backend }) => {
    const layout = layoutOf(context, attrs);
    const numbers = layout.in * Math.ceil(layout.out / PACKED_COLUMNS) * PACKED_COLUMNS;
    const whole = layout.type === 'F32';
    const packed = output(backend, [whole ? numbers : numbers / 2], whole ? 'float32' : 'int32');
    addon.packWeight(packed.values, backend.valuesOf(inputs['w']!));
    return packed.info;
  });
  override(context, 'SaxUnpackWeight', ({ inputs, attrs, backend }) => {
    const layout = layoutOf(context, attrs);
    const w = output(backend, [layout.in, layout.out], 'float32');
    addon.unpackWeight(w.values, backend.valuesOf(inputs['packed']!));
    return w.info;
  });
  override(context, 'SaxPackedRows', ({ inputs, attrs, backend }) => {
    const layout = layoutOf(context, attrs);
    const { packed, ids } = inputs as Record<'packed' | 'ids', Tf.TensorInfo>;
    const count = sizeOf(ids.shape);
    const y = output(backend, [count, layout.in], 'float32');
    addon.params[3] = count;
    addon.packedRows(y.values, backend.valuesOf(packed), backend.valuesOf(ids));
    return y.info;
  });
  override(context, 'SaxLinear', ({ inputs, attrs, backend }) => {
    const layout = layoutOf(context, attrs);
    const { x, packed, bias } = inputs as { x: Tf.TensorInfo; packed: Tf.TensorInfo; bias?: Tf.TensorInfo };
    const rows = x.shape[0]!;
    const y = output(backend, [rows, layout.out], 'float32');
    addon.params[3] = rows;
    addon.linear(y.values, backend.valuesOf(x), backend.valuesOf(packed), bias ? backend.valuesOf(bias) : noBias);
    return y.info;
  });
}
