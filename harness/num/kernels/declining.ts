/** @file Kernels of ours that stand before those of TensorFlow.js in a backend, which serve the cases that ours decline; what several backends are told. */
import type { DataId, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';

/** What the optimiser says to SaxAdam, on every backend that has it. */
export interface AdamAttributes {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Counts from 1. */
  step: number;
  /** Largest joint norm of the gradients; 0 for any. */
  clipNorm: number;
  /** Of each parameter, decoupled. */
  weightDecay: number[];
  /** Of each parameter: its rows stay at length 1. */
  unitRows: boolean[];
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
}

/** Another tensor on the same data with another shape; `backend.disposeData` lets go of either. */
export function sharing(backend: { incRef(dataId: DataId): void }, x: TensorInfo, shape: number[]): TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape, dtype: x.dtype };
}

/**
 * What tfjs calls for a kernel of ours.
 *
 * @param kernel Undefined declines the case.
 * @param theirs Serves what is declined; without it that is an error.
 */
export function declining<A>(
  [backend, kernelName]: [backend: string, kernelName: string],
  kernel: (args: A) => TensorInfo | TensorInfo[] | undefined,
  theirs: KernelFunc | undefined,
): KernelFunc {
  return (params) => {
    const done = kernel(params as unknown as A);
    if (done !== undefined) return done;
    if (!theirs) throw new Error(`${backend} backend: ${kernelName} does not serve these inputs`);
    return theirs(params);
  };
}
