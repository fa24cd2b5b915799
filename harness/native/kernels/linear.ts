/**
 * @file Products with packed weights, for num/ops/packed-linear.ts. Attributes of all: in, out, type (F32, BF16 or F16, which are widened;
 * BF16_PAIRS is multiplied as bfloat16, which x and w are rounded to).
 *
 * | kernel | inputs | outputs |
 * |---|---|---|
 * | SaxPackWeight | w [out, in] | packed, flat: float32, or int32 of two numbers each |
 * | SaxUnpackWeight | packed | w [in, out] |
 * | SaxPackedRows | packed, ids (int32) | columns of w [ids, in] |
 * | SaxLinear | x [rows, in], packed, bias [out] or absent | x · w + bias [rows, out] |
 */
import type * as Tf from '@tensorflow/tfjs-core';
import type { KernelName } from '../addon.ts';
import { type Context, output, override, sizeOf } from '../registry.ts';

/** The numbering of linear.cc. */
const TYPES = ['F32', 'BF16', 'F16'];
/** The room of a packed weight is of whole such columns. */
const PACKED_COLUMNS = 32;
/** Weights in pairs, of bfloat-linear.cc, are of whole so many rows. */
const PAIRED_ROWS = 32;
const noBias = new Float32Array(0);

type Layout = Record<'in' | 'out', number> & { type: string };

/** The addon's kernel `whole`, or `paired` for weights in pairs; writes the parameters that they begin with, then `more`. */
function kernelFor({ addon }: Context, layout: Layout, [whole, paired]: [KernelName, KernelName], ...more: number[]) {
  const inPairs = layout.type === 'BF16_PAIRS';
  addon.params.set([layout.in, layout.out, ...(inPairs ? [] : [TYPES.indexOf(layout.type)]), ...more, 0]);
  return addon[inPairs ? paired : whole];
}

/** Words of a packed weight. */
function packedSize({ in: width, out, type }: Layout): number {
  const columns = Math.ceil(out / PACKED_COLUMNS) * PACKED_COLUMNS;
  if (type === 'F32') return width * columns;
  return ((type === 'BF16_PAIRS' ? Math.ceil(width / PAIRED_ROWS) * PAIRED_ROWS : width) * columns) / 2;
}

/** Registers the kernels. */
export function registerLinear(context: Context): void {
  override(context, 'SaxPackWeight', ({ inputs, attrs, backend }) => {
    const layout = attrs as Layout;
    const packed = output(backend, [packedSize(layout)], layout.type === 'F32' ? 'float32' : 'int32');
    kernelFor(context, layout, ['packWeight', 'packPairs'])(packed.values, backend.valuesOf(inputs['w']!));
    return packed.info;
  });
  override(context, 'SaxUnpackWeight', ({ inputs, attrs, backend }) => {
    const layout = attrs as Layout;
    const w = output(backend, [layout.in, layout.out], 'float32');
    kernelFor(context, layout, ['unpackWeight', 'unpackPairs'])(w.values, backend.valuesOf(inputs['packed']!));
    return w.info;
  });
  override(context, 'SaxPackedRows', ({ inputs, attrs, backend }) => {
    const layout = attrs as Layout;
    const { packed, ids } = inputs as Record<'packed' | 'ids', Tf.TensorInfo>;
    const count = sizeOf(ids.shape);
    const y = output(backend, [count, layout.in], 'float32');
    const rows = kernelFor(context, layout, ['packedRows', 'pairedRows'], count);
    rows(y.values, backend.valuesOf(packed), backend.valuesOf(ids));
    return y.info;
  });
  override(context, 'SaxLinear', ({ inputs, attrs, backend }) => {
    const layout = attrs as Layout;
    const { x, packed, bias } = inputs as { x: Tf.TensorInfo; packed: Tf.TensorInfo; bias?: Tf.TensorInfo };
    const rows = x.shape[0]!;
    const y = output(backend, [rows, layout.out], 'float32');
    const product = kernelFor(context, layout, ['linear', 'pairedLinear'], rows);
    product(y.values, backend.valuesOf(x), backend.valuesOf(packed), bias ? backend.valuesOf(bias) : noBias);
    return y.info;
  });
}
