/** @file Kernels that are not TensorFlow.js's: used where the backend in use has them. */
import type { NamedAttrMap } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from '../tf.ts';

/** Whether the backend in use has a kernel of this name. */
export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/**
 * Runs a kernel with several outputs. It is not on the tape: call it from a custom op or an optimiser.
 *
 * @param inputs by name, or a list for a kernel that takes any number
 */
export function runKernels(
  name: string,
  inputs: Record<string, Tensor> | Tensor[],
  attrs: NamedAttrMap = {},
): Tensor[] {
  return tf.engine().runKernel(name, inputs as Record<string, Tensor>, attrs) as Tensor[];
}

/** Runs a kernel with one output. It is not on the tape: call it from a custom op or an optimiser. */
export function runKernel<T extends Tensor>(name: string, inputs: Record<string, Tensor>, attrs: NamedAttrMap = {}): T {
  return tf.engine().runKernel(name, inputs, attrs) as T;
}
