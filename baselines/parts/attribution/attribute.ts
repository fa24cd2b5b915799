/** @file Scores of texts by the attribution of a classifier's probability to their tokens at a site. */
import { type NamedTensors, type Tensor1D, type Tensor2D, type Tensor3D, tf } from '../../../harness/contract.ts';
import { probabilityOf } from './head.ts';
import { type CollectedBatch, lastStates, type Place } from './last-states.ts';

/** Attribution of each token [n, length], of texts whose activations are x [n, length, d]. */
export type Attribution = (x: Tensor3D, gradient: (at: Tensor3D) => Tensor3D) => Tensor2D;

/** I×G: Σ over coordinates of |x · ∂p/∂x| (AxBench's code; its text has |∂p/∂x|). */
export const inputXGradient: Attribution = (x, gradient) => tf.sum(tf.abs(tf.mul(x, gradient(x))), 2) as Tensor2D;

/**
 * Integrated gradients from `baseline` [d], put in the place of every token: Σ over coordinates of |(x − baseline) · mean
 * gradient| over the points baseline + (i / steps) · (x − baseline), i from 0 to steps − 1.
 */
export function integratedGradients(baseline: Tensor1D, steps: number): Attribution {
  return (x, gradient) => {
    const way = tf.sub(x, baseline) as Tensor3D;
    let sum = tf.zerosLike(x);
    for (let i = 0; i < steps; i++) {
      sum = tf.tidy(() => tf.add(sum, gradient(tf.add(tf.mul(way, i / steps), baseline) as Tensor3D)));
    }
    return tf.sum(tf.abs(tf.mul(way, tf.div(sum, steps))), 2) as Tensor2D;
  };
}

/** The largest attribution of each text's kept tokens, [n]; −∞ where a text has none. */
export async function attributionScores(
  place: Place,
  head: NamedTensors,
  batch: CollectedBatch,
  attribution: Attribution,
): Promise<Float32Array> {
  const { tokens, keep } = batch;
  const { n, length } = tokens;
  const attributed = tf.tidy(() => {
    const x = tf.tensor3d(batch.x, [n, length, batch.d]);
    const states = lastStates(place, tokens);
    const gradient = tf.grad((at) => tf.sum(probabilityOf(head, states(at as Tensor3D))));
    return attribution(x, (at) => tf.tidy(() => gradient(at) as Tensor3D));
  });
  const values = await attributed.data();
  attributed.dispose();
  const scores = new Float32Array(n).fill(-Infinity);
  for (let at = 0; at < n * length; at++) {
    const row = Math.floor(at / length);
    // Not a number is reported, not passed over.
    if (keep[at] === 1 && !(values[at]! <= scores[row]!)) scores[row] = values[at]!;
  }
  return scores;
}
