/** @file Replacing the activation of kept positions during a forward pass. */
import {
  type ActivationSet,
  type Intervention,
  type Tensor2D,
  type Tensor3D,
  type TokenBatch,
  tf,
} from '../../harness/contract.ts';

/** Maps activations [rows, d] to what stands in for them. */
export type Replacement = (x: Tensor2D) => Tensor2D;

/** Consecutive items, right-padded to the longest. */
export interface ItemBatch {
  first: number;
  items: number;
  /** Positions of the longest item. */
  length: number;
  /** 1 where a position of the set is kept, [items, length]; padding is 0. */
  keep: Float32Array;
  /** Ids as the activations were made from them; −1 ids (no token) become 0. */
  tokens: TokenBatch;
}

/** Batches of at most `positions` padded positions and `most` items, of the first `limit` items. */
export function* itemBatches(
  set: ActivationSet,
  limit: number,
  positions: number,
  most = Infinity,
): Generator<ItemBatch> {
  const count = Math.min(limit, set.bounds.length - 1);
  const lengthOf = (item: number) => set.bounds[item + 1]! - set.bounds[item]!;
  for (let first = 0; first < count; ) {
    let length = lengthOf(first);
    let last = first + 1;
    const fits = () => last - first < most && Math.max(length, lengthOf(last)) * (last + 1 - first) <= positions;
    while (last < count && fits()) {
      length = Math.max(length, lengthOf(last));
      last++;
    }
    yield itemBatch(set, first, last - first, length);
    first = last;
  }
}

function itemBatch(set: ActivationSet, first: number, items: number, length: number): ItemBatch {
  const keep = new Float32Array(items * length);
  const ids = new Int32Array(items * length);
  const mask = new Uint8Array(items * length);
  for (let i = 0; i < items; i++) {
    const start = set.bounds[first + i]!;
    const end = set.bounds[first + i + 1]!;
    for (let row = start; row < end; row++) {
      const at = i * length + row - start;
      keep[at] = set.keep[row]!;
      ids[at] = Math.max(0, set.tokenIds[row]!);
      mask[at] = 1;
    }
  }
  return { first, items, length, keep, tokens: { n: items, length, ids, mask } };
}

/** Replaces the kept positions of `batch` at `site`; all others keep their activation exactly. */
export function splice(site: string, batch: ItemBatch, replace: Replacement): Intervention {
  return {
    site,
    apply(x: Tensor3D): Tensor3D {
      const [n, length] = x.shape;
      if (n !== batch.items || length !== batch.length) {
        throw new Error(
          `internal: spliced [${batch.items}, ${batch.length}] positions into ${n} × ${length} of ${site}`,
        );
      }
      return spliced(x, batch, replace);
    },
  };
}

/** x [items, length, d] with its kept positions replaced. */
export function spliced(x: Tensor3D, { keep }: ItemBatch, replace: Replacement): Tensor3D {
  const [n, length, d] = x.shape;
  const kept = tf.tensor3d(keep, [n, length, 1]);
  const replaced = tf.reshape(replace(tf.reshape(x, [n * length, d])), [n, length, d]);
  return tf.add(tf.mul(replaced, kept), tf.mul(x, tf.sub(1, kept))) as Tensor3D;
}

/** The set's own activations of the batch [items, length, d], 0 at padding; the caller disposes of them. */
export async function activationsOf(set: ActivationSet, { first, items, length }: ItemBatch): Promise<Tensor3D> {
  const { bounds, d_in } = set;
  const start = bounds[first]!;
  const rows = await set.read(start, bounds[first + items]!);
  const padded = new Float32Array(items * length * d_in);
  for (let i = 0; i < items; i++) {
    const own = rows.subarray((bounds[first + i]! - start) * d_in, (bounds[first + i + 1]! - start) * d_in);
    padded.set(own, i * length * d_in);
  }
  return tf.tensor3d(padded, [items, length, d_in]);
}
