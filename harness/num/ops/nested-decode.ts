/** @file Decoding of k-sparse codes by groups of latents that build on one another, and the errors of all that they give. */
import { type Scalar, type Tensor1D, type Tensor2D, type Tensor3D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { decodeSparse, gradBoth } from './sparse-decode.ts';
import { sumOfSquares, sumOfSquaresGradient } from './squared-error.ts';

/** 1 where a code is one of a group's latents, [groups, n, k]. */
function groupMasks(indices: Tensor2D, ends: readonly number[]): Tensor3D {
  const of = (bounds: readonly number[]) => tf.tensor3d([...bounds], [ends.length, 1, 1], 'int32');
  const within = tf.logicalAnd(tf.greaterEqual(indices, of([0, ...ends.slice(0, -1)])), tf.less(indices, of(ends)));
  return tf.cast(within, 'float32') as Tensor3D;
}

/**
 * The reconstructions [groups, n, d] by the latents of the first group, of the first two, …, of all; group g ends before
 * latent ends[g]. Each code is decoded once: the reconstructions are running sums of what the groups add.
 *
 * @param values float32 [n, k]; those that are 0 go without a gradient, as those of a ReLU can
 * @param indices int32 [n, k], each below the last end; gets no gradient
 * @param W_dec [d_sae, d]
 * @param b_dec [d]
 */
export function nestedDecode(
  values: Tensor2D,
  indices: Tensor2D,
  W_dec: Tensor2D,
  b_dec: Tensor1D,
  ends: readonly number[],
): Tensor3D {
  const [groups, [n, k], d] = [ends.length, values.shape, W_dec.shape[1]];
  return customOp<Tensor3D>(
    [values, W_dec, b_dec],
    (save, v, W, b) => {
      const masks = groupMasks(indices, ends);
      const parts = tf.reshape(tf.mul(v!, masks), [groups * n, k]) as Tensor2D;
      const places = tf.tile(indices, [groups, 1]);
      save([masks, parts, places, W!]);
      const own = tf.reshape(decodeSparse(parts, places, W as Tensor2D), [groups, n, d]);
      const sums = tf.cumsum(tf.concat([tf.broadcastTo(b!, [1, n, d]), own]), 0);
      return tf.slice(sums, [1, 0, 0], [groups, n, d]) as Tensor3D;
    },
    (dy, saved) => {
      const [masks, parts, places, W] = saved as [Tensor3D, Tensor2D, Tensor2D, Tensor2D];
      // What a group adds is part of its own reconstruction and of all that follow.
      const sums = tf.cumsum(dy, 0, false, true);
      const [dParts, dW] = gradBoth(tf.reshape(sums, [groups * n, d]), parts, places, W) as [Tensor2D, Tensor2D];
      const first = tf.reshape(tf.slice(sums, [0, 0, 0], [1, n, d]), [n, d]);
      return [tf.sum(tf.mul(tf.reshape(dParts, [groups, n, k]), masks), 0), dW, tf.sum(first, 0)];
    },
  );
}

/** Σ_g weights[g] · Σ‖y − ŷ_g‖² / unit of a target [n, d] and reconstructions [groups, n, d], to which the gradient flows. */
export function nestedErrors(
  target: Tensor2D,
  reconstructions: Tensor3D,
  { weights, unit }: { weights: readonly number[]; unit: number },
): Scalar {
  const [, n, d] = reconstructions.shape;
  const each = <T>(all: Tensor3D, use: (own: Tensor2D, weight: number) => T): T[] =>
    weights.map((weight, g) => use(tf.reshape(tf.slice(all, [g, 0, 0], [1, n, d]), [n, d]), weight));
  return customOp<Scalar>(
    [reconstructions],
    (save, all) => {
      save([target, all!]);
      return tf.addN(
        each(all as Tensor3D, (own, weight) => tf.mul(tf.div(sumOfSquares(target, own), unit), weight)),
      ) as Scalar;
    },
    (dy, [y, all]) => [
      tf.stack(
        each(all as Tensor3D, (own, weight) => {
          return sumOfSquaresGradient(y!, own, tf.div(tf.mul(dy, weight), unit) as Scalar);
        }),
      ),
    ],
  );
}
