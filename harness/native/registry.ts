/** @file Registers a native kernel over tfjs's CPU kernel, which serves the cases that the native one declines. */
import type * as Tf from '@tensorflow/tfjs-core';
import { declining, sharing, sizeOf } from '../num/kernels/declining.ts';
import type { Addon, Values } from './addon.ts';
import { isServed, type NativeBackend } from './backend.ts';

export { sharing, sizeOf } from '../num/kernels/declining.ts';

/** Everything a kernel needs. */
export interface Context {
  tf: typeof Tf;
  addon: Addon;
  /** Whether products of matrices are to round their factors to bfloat16 now. */
  roundsFactors(): boolean;
}

/** What tfjs hands to a kernel, loosely typed: inputs by name (or a list), attributes by name. */
export interface Args {
  inputs: Record<string, Tf.TensorInfo>;
  attrs: Record<string, unknown>;
  backend: NativeBackend;
}

/** A kernel; undefined declines the case (a dtype or layout that is not served). */
export type NativeKernel = (args: Args) => Tf.TensorInfo | Tf.TensorInfo[] | undefined;

/** A fresh output: the tensor and the array to fill. @throws for a shape that is none, of inputs that do not fit the kernel. */
export function output<D extends 'float32' | 'int32' | 'bool'>(
  backend: NativeBackend,
  shape: number[],
  dtype: D,
): { info: Tf.TensorInfo; values: Values } {
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new Error(`native backend: the inputs' shapes do not fit the operation: it would give [${shape}]`);
  }
  const values = backend.arrays.take(dtype, sizeOf(shape));
  return { info: backend.wrap(shape, dtype, values), values };
}

/** An output that may take the place of `x`: in its memory where nothing else refers to that, else fresh. */
export function outputOver(backend: NativeBackend, x: Tf.TensorInfo): { info: Tf.TensorInfo; values: Values } {
  if (!backend.isExclusive(x.dataId)) return output(backend, x.shape, 'float32');
  return { info: sharing(backend, x, x.shape), values: backend.valuesOf(x) };
}

/** True when every input is a dtype that native kernels know. */
export function allServed(...inputs: Tf.TensorInfo[]): boolean {
  return inputs.every((input) => isServed(input.dtype));
}

/** A tfjs kernel that may keep its inputs' arrays (a slice is a view there): they must not be recycled. */
export function guarded(kernel: Tf.KernelFunc): Tf.KernelFunc {
  return (params) => {
    const backend = params.backend as NativeBackend;
    for (const input of Object.values(params.inputs)) {
      if (input) backend.expose((input as Tf.TensorInfo).dataId);
    }
    return kernel(params);
  };
}

/** Registers `kernel` for the native backend; what it declines goes to the CPU kernel of that name. */
export function override({ tf }: Context, kernelName: string, kernel: NativeKernel): void {
  const cpu = tf.getKernel(kernelName, 'cpu');
  const fallback = cpu ? guarded(cpu.kernelFunc) : undefined;
  tf.registerKernel({
    kernelName,
    backendName: 'native',
    kernelFunc: declining(['native', kernelName], kernel, fallback),
  });
}
