/** @file Tensors as constants. */
import { type Tensor, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** The same values, through which no gradient passes ("detach"). */
export function stopGradient<T extends Tensor>(x: T): T {
  return customOp<T>(
    [x],
    (_save, input) => tf.clone(input) as T,
    (dy) => [tf.zerosLike(dy as Tensor)],
  );
}

/** What `compute` gives, as a constant: unlike `stopGradient`, nothing that it is made of is passed on the way back. */
export function untracked<T extends Tensor>(compute: () => T): T {
  return customOp<T>([], compute, () => []);
}
