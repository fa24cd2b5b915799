/** @file The precision that networks are computed in: part of the backend in use, as its arithmetic is. */

export const PRECISIONS = ['float32', 'bf16'] as const;

/** `bf16`: products of large layers take both factors in bfloat16 and sum in float32; parameters and all else stay float32. */
export type Precision = (typeof PRECISIONS)[number];

let current: Precision = 'float32';

/** The precision in use. */
export const precision = (): Precision => current;

/** Called by `initBackend`, which knows whether the backend has it. */
export function setPrecision(wanted: Precision): void {
  current = wanted;
}
