/** @file The precision that networks are computed in: part of the backend in use, as its arithmetic is. */

import type { Precision } from './backends/names.ts';

export type { Precision } from './backends/names.ts';

let current: Precision = 'float32';

/** The precision in use. */
export const precision = (): Precision => current;

/** Called by `initBackend`, which knows whether the backend has it. */
export function setPrecision(wanted: Precision): void {
  current = wanted;
}
