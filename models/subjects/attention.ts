/** @file Multi-head attention of a block: rotary positions, the cache of generation, and the fused operation. */
import type { Tensor2D } from '../../harness/contract.ts';
import {
  type AttentionShape,
  attention,
  type KeyValueCache,
  type RotaryTables,
  rotary,
} from '../../harness/kit/index.ts';

export interface AttentionContext {
  /** Rows of the batch and columns of the current input. */
  n: number;
  t: number;
  causal: boolean;
  /** Tables for the current columns. */
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
  { n, t, causal, rotary: tables, seen, cache }: AttentionContext,
): Tensor2D {
  const queries = tables ? rotary(q, tables, shape.heads) : q;
  const newKeys = tables ? rotary(k, tables, shape.kvHeads) : k;
  const { heads, kvHeads, headDim } = shape;
  const sizes = { heads, kvHeads, headDim, n, t, causal, seen };
  if (!cache) return attention(queries, newKeys, v, sizes);
  const { k: keys, v: values, columns } = cache.append(newKeys, v);
  return attention(queries, keys, values, { ...sizes, columns });
}
