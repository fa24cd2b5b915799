/** @file Embedding look-up whose gradient adds repeated rows. */
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';

/**
 * Rows of `table` [rows, d] at `ids` (int32, any shape), as [...ids.shape, d]. The gradient to the table is an unsorted
 * segment sum. Ids out of range are an error on wasm and cpu and undefined on other backends.
 */
export function gatherRows<T extends Tensor>(table: Tensor2D, ids: Tensor): T {
  const flat = tf.reshape(ids, [ids.size]) as Tensor1D;
  return tf.reshape(tf.gather(table, flat), [...ids.shape, table.shape[1]]) as T;
}
