/** @file Rotary position embedding of the heads of a row, with its gradient. */
import { hasKernel, runKernel } from '../kernels/own.ts';
import { type Tensor2D, type Tensor4D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** Cosines and sines of the angles of some positions, [positions, width/2]; row r of an input has position r mod positions. */
export interface RotaryTables {
  cos: Tensor2D;
  sin: Tensor2D;
}

/** Turns x by the angles (`direction` 1) or back (-1), which is also the gradient. */
function turn(x: Tensor2D, cos: Tensor2D, sin: Tensor2D, heads: number, direction: 1 | -1): Tensor2D {
  if (hasKernel('SaxRotary')) return runKernel('SaxRotary', { x, cos, sin }, { heads, direction });
  if (x.size === 0) return tf.clone(x);
  const [positions, half] = cos.shape;
  const split = tf.reshape(x, [x.shape[0] / positions, positions, heads, 2 * half]) as Tensor4D;
  const [first, second] = tf.split(split, 2, 3) as Tensor4D[];
  const c = tf.reshape(cos, [1, positions, 1, half]);
  const s = tf.reshape(direction === 1 ? sin : tf.neg(sin), [1, positions, 1, half]);
  const turned = [tf.sub(tf.mul(first!, c), tf.mul(second!, s)), tf.add(tf.mul(second!, c), tf.mul(first!, s))];
  return tf.reshape(tf.concat(turned, 3), x.shape);
}

/**
 * Turns the pairs (i, i + width/2) of every head by its position's angles (Su et al. 2021, arXiv:2104.09864, in Hugging
 * Face's half-split layout).
 *
 * @param x [rows, heads·width], rows a multiple of the positions, width even
 * @returns the same shape; the gradient flows to x
 */
export function rotary(x: Tensor2D, { cos, sin }: RotaryTables, heads: number): Tensor2D {
  const [rows, width] = x.shape;
  const [positions, half] = cos.shape;
  const fits =
    width === 2 * half * heads && (rows === 0 || rows % positions === 0) && sin.shape.join() === cos.shape.join();
  if (!fits) {
    throw new Error(
      `rotary: expected x [rows, ${2 * half * heads}], rows a multiple of ${positions}, and sines as cosines; found [${x.shape}], sines ` +
        `[${sin.shape}], cosines [${cos.shape}]`,
    );
  }
  return customOp<Tensor2D>(
    [x],
    (save, input) => {
      save([cos, sin]);
      return turn(input as Tensor2D, cos, sin, heads, 1);
    },
    (dy, [c, s]) => [turn(dy, c as Tensor2D, s as Tensor2D, heads, -1)],
  );
}
