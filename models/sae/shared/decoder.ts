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
  return shape.d_in === shape.d_out ? (tf.transpose(W_dec) as Tensor2D) : freeEncoder(shape, rng, norm);
}

/** W_enc [d_in, d_sae] of random directions of its own, every column of length `norm`. */
export function freeEncoder(shape: SaeShape, rng: Rng, norm: number): Tensor2D {
  return tf.transpose(randomDecoder({ ...shape, d_out: shape.d_in }, rng.fork('encoder'), norm)) as Tensor2D;
}

/** b_enc = −mean(sample) · W_enc: where b_dec is not taken from the input, latents then start out firing on half of it. */
export function centringBias(sample: Tensor2D, W_enc: Tensor2D): Tensor1D {
  return tf.neg(tf.squeeze(tf.matMul(tf.mean(sample, 0, true) as Tensor2D, W_enc), [0])) as Tensor1D;
}

/** The geometric median of the rows [n, d]: b_dec's start where the recipe or a short run asks for it. */
export function medianOf(sample: Tensor2D): Tensor1D {
  return tf.tensor1d(geometricMedian(sample.dataSync() as Float32Array, sample.shape[1]));
}
