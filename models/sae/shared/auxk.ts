/** @file AuxK: dead latents learn to reconstruct what the live ones leave over (Gao et al. 2024, arXiv:2406.04093). */
import {
  type NamedTensors,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  type TrainState,
  tf,
} from '../../../harness/contract.ts';
import { sparseDecode, squaredError, type TopkCodes, topkEncode, untracked } from '../../../harness/kit/index.ts';
import { deadIndices } from './dead-indices.ts';
import { centredEncoder } from './encoder.ts';

/** What one step reconstructed, and from what. */
export interface Reconstructed {
  x: Tensor2D;
  target: Tensor2D;
  reconstruction: Tensor2D;
}

/** The k codes of each input among some latents, whose indices are given. */
export type CodesAmong = (params: NamedTensors, x: Tensor2D, k: number, among: Tensor1D) => TopkCodes;

/** The largest positive pre-activations. */
const largestAmong: CodesAmong = (params, x, k, among) => topkEncode(x, centredEncoder(params), k, among);

/**
 * L_aux = ‖e − ê‖² / ‖e − mean_batch(e)‖² with e = x − x̂ as a constant and ê decoded, without bias, from the `k`
 * largest ReLU pre-activations among the dead latents only. 0 where no latent is dead or the quotient is not a number.
 *
 * @param k d_in / 2 in the published recipe.
 * @param codesAmong How codes are chosen among the dead latents where it is not by the largest pre-activations.
 */
export function auxkLoss(
  params: NamedTensors,
  step: Reconstructed,
  state: TrainState,
  k: number,
  codesAmong = largestAmong,
): Scalar {
  if (state.deadCount === 0) return tf.scalar(0);
  const dead = deadIndices(state);
  const { indices, values } = codesAmong(params, step.x, Math.min(k, state.deadCount), dead);
  const decoded = sparseDecode(values, indices, params['W_dec'] as Tensor2D, undefined, { activeOnly: true });
  // AuxK must not move the live latents.
  const residual = untracked(() => tf.sub(step.target, step.reconstruction) as Tensor2D);
  const left = squaredError(residual, decoded);
  const spread = untracked(() => tf.sum(tf.square(tf.sub(residual, tf.mean(residual, 0, true)))));
  return tf.divNoNan(left, spread) as Scalar;
}
