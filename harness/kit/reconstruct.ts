/** @file The reconstruction of a method that encodes and decodes. */
import type { FittedMethod } from '../contract/methods.ts';
import type { Codes } from '../contract/sae.ts';
import { type Tensor2D, tf } from '../num/tf.ts';

/** What a method makes of x [n, d_in], [n, d_out]: its codes decoded, and what comes past them. */
export function reconstruct({ encode, decode, skip }: FittedMethod, x: Tensor2D, codes?: Codes): Tensor2D {
  return tf.tidy(() => {
    const decoded = decode!(codes ?? encode!(x), x);
    return skip ? (tf.add(decoded, skip(x)) as Tensor2D) : decoded;
  });
}
