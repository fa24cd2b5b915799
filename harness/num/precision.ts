/** @file The precision that networks are computed in, and SAEs trained: part of the backend in use, as its arithmetic is. */

import type { Precision } from './backends/names.ts';
import { createScope } from './scope.ts';

export type { Precision } from './backends/names.ts';

let current: Precision = 'float32';

/** The precision in use. */
export const precision = (): Precision => current;

/** Called by `initBackend`, which knows whether the backend has it. */
export function setPrecision(wanted: Precision): void {
  current = wanted;
}

const training = createScope();

/** Runs a loss with its gradients: in precision bf16 the products of matrices within may round their factors, and sum in float32. */
export const inTraining = training.within;

/** Whether products of matrices are to round their factors to bfloat16 now. */
export const roundsFactors = (): boolean => training.isOpen() && current === 'bf16';
