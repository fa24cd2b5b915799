/** @file Reading a tensor without keeping its numbers. */
import { type Tensor, tf } from './tf.ts';

/** What a backend has whose tensors are plain arrays that it uses again. */
interface ReadableBackend {
  valuesOf(tensor: Tensor): Float32Array | Int32Array;
}

/**
 * The numbers of a tensor, to be read before it is disposed of and neither kept nor changed: unlike `data()` this leaves
 * the memory to the backend, which uses it for the next batch.
 */
export async function peek(tensor: Tensor): Promise<Float32Array | Int32Array> {
  const backend = tf.backend() as unknown as Partial<ReadableBackend>;
  return backend.valuesOf?.(tensor) ?? ((await tensor.data()) as Float32Array | Int32Array);
}
