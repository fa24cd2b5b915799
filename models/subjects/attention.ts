/** @file Multi-head attention of a block: rotary positions, the cache of generation, and the fused operation. */
import { type Tensor2D, type Tensor3D, tf } from '../../harness/contract.ts';
import {
  type AttentionOptions,
  type AttentionShape,
  attention,
  type KeyValueCache,
  type RotaryTables,
  rotary,
} from '../../harness/kit/index.ts';

export interface AttentionContext extends Pick<AttentionOptions, 'scale' | 'cap' | 'window'> {
  /** Rows of the batch and columns of the current input. */
  n: number;
  t: number;
  causal: boolean;
  /** Tables for the current columns; narrower than a head, they turn its first part. */
  rotary?: RotaryTables;
  /** bool [n, columns]: where the rows may look; everywhere when omitted. */
  seen?: Tensor2D;
  /** Earlier columns; the current ones are added to it. */
  cache?: KeyValueCache;
}

/** q [n·t, heads·headDim], k and v [n·t, kvHeads·headDim] → mixed values [n·t, heads·headDim]. */
export function attend(
  q: Tensor2D,
  k: Tensor2D,
  v: Tensor2D,
  shape: AttentionShape,
  { rotary: tables, cache, ...options }: AttentionContext,
): Tensor2D {
  const { heads, kvHeads, headDim } = shape;
  const queries = tables ? turned(q, tables, heads, headDim) : q;
  const newKeys = tables ? turned(k, tables, kvHeads, headDim) : k;
  const sizes = { heads, kvHeads, headDim, ...options };
  if (!cache) return attention(queries, newKeys, v, sizes);
  const { k: keys, v: values, columns } = cache.append(newKeys, v);
  return attention(queries, keys, values, { ...sizes, columns });
}

/** Each head of x [rows, heads·headDim] turned, or the first part of it that the tables are for. */
function turned(x: Tensor2D, tables: RotaryTables, heads: number, headDim: number): Tensor2D {
  const width = 2 * tables.cos.shape[1];
  if (width === headDim) return rotary(x, tables, heads);
  const rows = x.shape[0];
  const [first, rest] = tf.split(tf.reshape(x, [rows, heads, headDim]) as Tensor3D, [width, headDim - width], 2);
  const part = rotary(tf.reshape(first!, [rows, heads * width]), tables, heads);
  return tf.reshape(tf.concat([tf.reshape(part, [rows, heads, width]), rest!], 2), x.shape);
}
