/** @file The order of values. */

/** Indices that sort `values` ascending; equal values keep their order. */
export function argsort(values: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
}
