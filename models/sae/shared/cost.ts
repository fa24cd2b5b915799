/** @file What encoding and decoding cost. */
import type { SaeShape } from '../../../harness/contract.ts';

/**
 * Multiply-accumulates per token of one dense encoder matrix and of the decoder rows of the active latents.
 *
 * @param l0 Active latents an input; null, where nothing is aimed at, counts all.
 */
export function linearMacs({ d_in, d_sae, d_out }: SaeShape, l0: number | null): { encode: number; decode: number } {
  return { encode: d_in * d_sae, decode: (l0 ?? d_sae) * d_out };
}
