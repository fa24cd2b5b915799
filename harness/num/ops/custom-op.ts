/** @file `tf.customGrad` with types that say what it takes. */
import type { GradSaveFunc } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from '../tf.ts';

/**
 * Runs `forward` off the tape and gives the result the gradient `backward`.
 *
 * @param inputs the tensors that may get a gradient
 * @param forward computes the value; `save` keeps tensors for `backward` (anything else made in `forward` is freed when
 *   it returns, and tensors from outside may be gone by the time the gradient runs, so save those too)
 * @param backward from the gradient of the value and the saved tensors, one gradient for each input
 */
export function customOp<T extends Tensor>(
  inputs: readonly Tensor[],
  forward: (save: (tensors: Tensor[]) => void, ...inputs: Tensor[]) => T,
  backward: (dy: T, saved: Tensor[]) => Tensor[],
): T {
  const op = tf.customGrad((...args) => {
    const save = args.pop() as unknown as GradSaveFunc;
    return {
      value: forward((tensors) => save(tensors), ...(args as Tensor[])),
      gradFunc: (dy, saved) => backward(dy as T, saved),
    };
  });
  return op(...inputs) as T;
}
