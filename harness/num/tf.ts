/** @file The one handle to TensorFlow.js: a live binding that `backend.ts` fills when a backend has been chosen. */
import type * as Tf from '@tensorflow/tfjs-core';

/**
 * TensorFlow.js's core API (`tf.matMul`, `tf.grads`, …). Undefined until `initBackend()` has run, so that commands that
 * compute nothing (`saxbench ls`, `--help`) never pay for loading it. Use it inside functions, never at module level.
 */
export let tf: typeof Tf;

/** Called once by `backend.ts`. */
export function setTf(loaded: typeof Tf): void {
  tf = loaded;
}

export type Tensor = Tf.Tensor;
export type Tensor1D = Tf.Tensor1D;
export type Tensor2D = Tf.Tensor2D;
export type Tensor3D = Tf.Tensor3D;
export type Tensor4D = Tf.Tensor4D;
export type Scalar = Tf.Scalar;
export type Variable = Tf.Variable;
export type NamedTensors = Record<string, Tf.Tensor>;
