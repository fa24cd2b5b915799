/** @file How the variants start their decoders and encoders. */
import { type Rng, type SaeShape, type Tensor1D, type Tensor2D, tf } from '../../../harness/contract.ts';
import { geometricMedian, unitNormRows } from '../../../harness/kit/index.ts';

/** W_dec [d_sae, d_out] of random directions, every row of length `norm`. */
export function randomDecoder(shape: SaeShape, rng: Rng, norm: number): Tensor2D {
  const { d_sae, d_out } = shape;
  const normal = rng.fork('decoder').fillNormal(new Float32Array(d_sae * d_out));
  return tf.mul(unitNormRows(tf.tensor2d(normal, [d_sae, d_out])), norm) as Tensor2D;
}

/**
 * The encoder a decoder starts with: its transpose, or, where input and output differ in width (a transcoder), random
 * directions of the same length.
 */
export function tiedEncoder(W_dec: Tensor2D, shape: SaeShape, rng: Rng, norm: number): Tensor2D {
  if (shape.d_in === shape.d_out) return tf.transpose(W_dec) as Tensor2D;
  const random = randomDecoder({ ...shape, d_out: shape.d_in }, rng.fork('encoder'), norm);
  return tf.transpose(random) as Tensor2D;
}

/** The geometric median of the rows [n, d]: b_dec's start where the recipe or a short run asks for it. */
export function medianOf(sample: Tensor2D): Tensor1D {
  return tf.tensor1d(geometricMedian(sample.dataSync() as Float32Array, sample.shape[1]));
}
