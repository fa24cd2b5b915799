/** @file The numbers of several tensors, in one reading where each waits for a device. */
import { type Tensor, tf } from './tf.ts';

/** What a backend says of itself where reading a tensor waits until all before it is computed. */
interface WaitingBackend {
  readonly readsWait: boolean;
}

/** The numbers of each tensor, flat. Integers beyond 2^24 may come rounded, as float32. */
export function readTogether(tensors: readonly Tensor[]): ArrayLike<number>[] {
  const { readsWait } = tf.backend() as unknown as Partial<WaitingBackend>;
  if (!readsWait || tensors.length < 2) return tensors.map((tensor) => tensor.dataSync());
  const all = tf.tidy(() => {
    const flat = tensors.map((tensor) => tf.cast(tf.reshape(tensor, [tensor.size]), 'float32'));
    return tf.concat(flat).dataSync();
  });
  let end = 0;
  return tensors.map(({ size }) => {
    end += size;
    return all.subarray(end - size, end);
  });
}
