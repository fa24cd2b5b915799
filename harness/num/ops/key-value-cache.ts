/** @file Keys and values of the columns that generation has seen: room for all of them is made once, where a kernel can write in place. */
import { hasKernel, runKernels } from '../kernels/own.ts';
import { type Tensor2D, type Tensor3D, tf } from '../tf.ts';

/** What attention reads: [n·capacity, width] each, of every row the first `columns` in use. */
export interface CachedColumns {
  k: Tensor2D;
  v: Tensor2D;
  columns: number;
}

/** The cache of one layer. Its tensors outlive the `tf.tidy` that they grow in. */
export interface KeyValueCache {
  /** Adds the same number of columns to every row, [n·t, width] each; what was returned before is void. */
  append(k: Tensor2D, v: Tensor2D): CachedColumns;
  /** Counts t more columns as in use, for a kernel that fills them itself; only where kernels write in place. */
  extend(t: number): CachedColumns;
  /** Keeps these rows of the batch, in this order. */
  selectRows(rows: readonly number[]): void;
  dispose(): void;
}

/** A cache for `n` rows and up to `capacity` columns. No gradient passes through it. */
export function createKeyValueCache(n: number, capacity: number, width: number): KeyValueCache {
  const inPlace = hasKernel('SaxCacheWrite');
  let rows = n;
  let columns = 0;
  // By a kernel, which takes memory that was used before; tf.zeros leaves an array to the collector each time.
  const empty = () => tf.keep(tf.fill([inPlace ? n * capacity : 0, width], 0) as Tensor2D);
  let [k, v]: Pair = [empty(), empty()];

  const replace = (next: () => Pair) => {
    const previous = [k, v];
    [k, v] = tf.tidy(next).map((tensor) => tf.keep(tensor)) as Pair;
    tf.dispose(previous);
  };
  const byRow = (x: Tensor2D) => tf.reshape(x, [rows, x.shape[0] / rows, width]) as Tensor3D;
  const extended = (old: Tensor2D, more: Tensor2D) => {
    const joined = columns === 0 ? byRow(more) : tf.concat([byRow(old), byRow(more)], 1);
    return tf.reshape(tf.clone(joined), [-1, width]) as Tensor2D;
  };

  const checkRoom = (t: number) => {
    if (columns + t > capacity) throw new Error(`key-value cache: ${columns} and ${t} columns, room for ${capacity}`);
  };

  return {
    append(newKeys, newValues) {
      const t = newKeys.shape[0] / rows;
      checkRoom(t);
      if (inPlace) {
        runKernels('SaxCacheWrite', { cache: k, rows: newKeys }, { n: rows, column: columns });
        runKernels('SaxCacheWrite', { cache: v, rows: newValues }, { n: rows, column: columns });
      } else {
        replace(() => [extended(k, newKeys), extended(v, newValues)]);
      }
      columns += t;
      return { k, v, columns };
    },
    extend(t) {
      if (!inPlace) throw new Error('key-value cache: only a kernel that writes in place can fill new columns');
      checkRoom(t);
      columns += t;
      return { k, v, columns };
    },
    selectRows(kept) {
      const index = tf.tensor1d([...kept], 'int32');
      const picked = (x: Tensor2D) =>
        tf.reshape(tf.gather(tf.reshape(x, [rows, x.size / rows]), index), [-1, width]) as Tensor2D;
      replace(() => [picked(k), picked(v)]);
      index.dispose();
      rows = kept.length;
    },
    dispose: () => tf.dispose([k, v]),
  };
}

type Pair = [Tensor2D, Tensor2D];
