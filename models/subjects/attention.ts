/** @file Multi-head attention with grouped keys and values, rotary positions and an optional cache. */
import { type Tensor2D, type Tensor3D, type Tensor4D, tf } from '../../harness/contract.ts';

/** Sizes of attention. `heads` is a multiple of `kvHeads`: head h reads the keys of group ⌊h·kvHeads/heads⌋. */
export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/** Rotary tables for the current columns, [1 | n, t, 1, headDim]; `rotate` is the matrix of `rotate_half`. */
export interface Rotary {
  cos: Tensor4D;
  sin: Tensor4D;
  rotate: Tensor2D;
}

/** Keys and values of the columns seen so far, [n, kvHeads, columns, headDim]; keys are already rotated. */
export type KeyValues = { k: Tensor4D; v: Tensor4D };

export interface AttentionContext {
  /** Rows of the batch and columns of the current input. */
  n: number;
  t: number;
  rotary?: Rotary;
  /** Added to the scores, broadcast to [n, heads, t, columns]: 0 where attention is allowed, −1e9 where not. */
  bias?: Tensor4D;
  /** Columns that ask, of the t that are asked: all by default. */
  asking?: number;
  /** Earlier columns. */
  past?: KeyValues;
}

/** x·cos + rotate_half(x)·sin (Su et al. 2021, arXiv:2104.09864, in Hugging Face's half-split layout). */
function rotate(x: Tensor4D, { cos, sin, rotate: matrix }: Rotary): Tensor4D {
  const [n, t, heads, headDim] = x.shape;
  const turned = tf.reshape(tf.matMul(tf.reshape(x, [n * t * heads, headDim]), matrix), x.shape);
  return tf.add(tf.mul(x, cos), tf.mul(turned, sin));
}

/**
 * q [n·asking, heads·headDim], k and v [n·t, kvHeads·headDim] → mixed values [n·asking, heads·headDim], and the keys and values of
 * all columns. Scores are scaled by headDim^−½.
 */
export function attend(
  q: Tensor2D,
  k: Tensor2D,
  v: Tensor2D,
  { heads, kvHeads, headDim }: AttentionShape,
  { n, t, asking = t, rotary, bias, past }: AttentionContext,
): { mixed: Tensor2D; keyValues: KeyValues } {
  const split = (x: Tensor2D, count: number) => tf.reshape(x, [n, x.shape[0] / n, count, headDim]) as Tensor4D;
  const byHead = (x: Tensor4D) => tf.transpose(x, [0, 2, 1, 3]) as Tensor4D;
  const place = (x: Tensor4D) => byHead(rotary ? rotate(x, rotary) : x);

  const queries = place(split(tf.mul(q, headDim ** -0.5), heads));
  const newKeys = place(split(k, kvHeads));
  const newValues = byHead(split(v, kvHeads));
  const keys = past ? tf.concat([past.k, newKeys], 2) : newKeys;
  const values = past ? tf.concat([past.v, newValues], 2) : newValues;
  const columns = keys.shape[2];

  // The heads of one group lie side by side, so a group's queries are one matrix and keys need not be repeated.
  const grouped: [number, number, number] = [n * kvHeads, (heads / kvHeads) * asking, headDim];
  const flatKeys = tf.reshape(keys, [n * kvHeads, columns, headDim]) as Tensor3D;
  const flatValues = tf.reshape(values, [n * kvHeads, columns, headDim]) as Tensor3D;
  const scores = tf.reshape(tf.matMul(tf.reshape(queries, grouped), flatKeys, false, true), [
    n,
    heads,
    asking,
    columns,
  ]);
  const weights = tf.softmax(bias ? tf.add(scores, bias) : scores);
  const mixed = tf.matMul(
    tf.reshape(weights, [n * kvHeads, (heads / kvHeads) * asking, columns]) as Tensor3D,
    flatValues,
  );
  const joined = byHead(tf.reshape(mixed, [n, heads, asking, headDim]));
  return { mixed: tf.reshape(joined, [n * asking, heads * headDim]), keyValues: { k: keys, v: values } };
}
