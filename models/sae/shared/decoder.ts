/** @file What the variants share about decoders: random start, unit rows, gradients tangent to the sphere. */
import {
  geometricMedian,
  type NamedTensors,
  type Rng,
  type SaeShape,
  type Tensor1D,
  type Tensor2D,
  tf,
} from '../../../harness/contract.ts';

/** Euclidean norm of each row, as a column [n, 1]. */
export function rowNorms(rows: Tensor2D): Tensor2D {
  return tf.sqrt(tf.sum(tf.square(rows), 1, true)) as Tensor2D;
}

/** Rows scaled to unit length; a zero row stays zero. */
export function unitNormRows(rows: Tensor2D): Tensor2D {
  return tf.mul(rows, tf.div(1, tf.maximum(rowNorms(rows), 1e-12))) as Tensor2D;
}

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

/**
 * Removes from W_dec's gradient the component parallel to each row, so that Adam's moments do not fill with a direction
 * that the renormalisation takes back (Bricken et al. 2023). The rows must have unit length.
 */
export function tangentDecoderGradient(grads: NamedTensors, params: NamedTensors): NamedTensors {
  const grad = grads['W_dec'] as Tensor2D;
  const rows = params['W_dec']!;
  const parallel = tf.mul(rows, tf.sum(tf.mul(grad, rows), 1, true));
  return { ...grads, W_dec: tf.sub(grad, parallel) };
}

/** The geometric median of the rows [n, d]: b_dec's start where the recipe or a short run asks for it. */
export function medianOf(sample: Tensor2D): Tensor1D {
  return tf.tensor1d(geometricMedian(sample.dataSync() as Float32Array, sample.shape[1]));
}
