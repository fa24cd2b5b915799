/** @file Centroids of a sample, by Lloyd's iterations from random rows. */
import { type Rng, type Tensor1D, type Tensor2D, tf } from '../../../harness/contract.ts';

const ITERATIONS = 20;

/** The nearest centroid of each row: of largest x · c − ‖c‖² / 2. */
function nearest(sample: Tensor2D, centroids: Tensor2D): Tensor1D {
  const halves = tf.mul(tf.sum(tf.square(centroids), 1), 0.5);
  return tf.argMax(tf.sub(tf.matMul(sample, centroids, false, true), halves), 1) as Tensor1D;
}

/**
 * `count` centroids [count, d] of the rows [n, d], the same for the same seed; one that no row is nearest to stays where it is.
 *
 * @param count At most n.
 */
export function kMeans(sample: Tensor2D, count: number, rng: Rng): Tensor2D {
  const n = sample.shape[0];
  const start = rng.fork('centroids').sample(n, count);
  let centroids = tf.gather(sample, tf.tensor1d(Int32Array.from(start), 'int32')) as Tensor2D;
  for (let i = 0; i < ITERATIONS; i++) {
    const before = centroids;
    centroids = tf.tidy(() => {
      const own = nearest(sample, before);
      const sums = tf.unsortedSegmentSum(sample, own, count) as Tensor2D;
      const sizes = tf.expandDims(tf.unsortedSegmentSum(tf.ones([n]), own, count), 1);
      return tf.where(tf.greater(sizes, 0), tf.div(sums, tf.maximum(sizes, 1)), before) as Tensor2D;
    });
    before.dispose();
  }
  return centroids;
}
