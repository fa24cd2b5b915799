/** @file Rows of a batch put together by group, so that each group is one product. */
import { type Tensor1D, tf } from '../tf.ts';

/** A batch sorted by group; rows of one group keep their order. */
export interface GroupedRows {
  /** int32 [n]: the row of the batch that comes to each place. `tf.gather(x, order)` sorts the batch. */
  order: Tensor1D;
  /** int32 [n]: the place of each row. `tf.gather(sorted, places)` puts the batch back. */
  places: Tensor1D;
  /** int32 [count]: where each group ends among the sorted rows. */
  ends: Tensor1D;
}

/**
 * @param groups int32 [n], each in [0, count)
 * @throws RangeError for another group.
 */
export function groupRows(groups: Tensor1D, count: number): GroupedRows {
  const of = groups.dataSync();
  const ends = new Int32Array(count);
  for (let i = 0; i < of.length; i++) {
    if (ends[of[i]!] === undefined) throw new RangeError(`groups: expected 0 to ${count - 1}, got ${of[i]}`);
    ends[of[i]!]!++;
  }
  const next = new Int32Array(count);
  for (let g = 1; g < count; g++) {
    next[g] = ends[g - 1]!;
    ends[g]! += ends[g - 1]!;
  }
  const [order, places] = [new Int32Array(of.length), new Int32Array(of.length)];
  for (let i = 0; i < of.length; i++) {
    const place = next[of[i]!]!++;
    order[place] = i;
    places[i] = place;
  }
  const vector = (values: Int32Array) => tf.tensor1d(values, 'int32');
  return { order: vector(order), places: vector(places), ends: vector(ends) };
}
