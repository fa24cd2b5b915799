/** @file The loss of the TopK family: reconstruction in units of the data's variance, and AuxK. */
import { type NamedTensors, type Scalar, type Tensor2D, type TrainState, tf } from '../../../harness/contract.ts';
import { squaredError } from '../../../harness/kit/index.ts';
import { auxkLoss, type CodesAmong, type Reconstructed } from './auxk.ts';
import type { TopkFamily } from './topk-family.ts';

/** nmse + auxAlpha · aux, and the two. */
export interface TopkFamilyLoss {
  total: Scalar;
  nmse: Scalar;
  aux: Scalar;
}

/** What the sum of squared errors of a batch is divided by: that of predicting the mean. */
export const errorUnit = (target: Tensor2D, state: TrainState): number =>
  state.buffers['variance']!.dataSync()[0]! * target.size;

/** The mean squared error over that of the mean. */
export function normalisedError(target: Tensor2D, reconstruction: Tensor2D, state: TrainState): Scalar {
  return tf.div(squaredError(target, reconstruction), errorUnit(target, state)) as Scalar;
}

/** The error `nmse`, and AuxK on what `step` leaves over while some latent is dead. */
export function withAuxk(
  nmse: Scalar,
  params: NamedTensors,
  step: Reconstructed,
  state: TrainState,
  { auxK, auxAlpha }: Pick<TopkFamily, 'auxK' | 'auxAlpha'>,
  codesAmong?: CodesAmong,
): TopkFamilyLoss {
  const wanted = auxAlpha !== 0 && state.deadCount > 0;
  const aux = wanted ? auxkLoss(params, step, state, auxK ?? Math.ceil(step.x.shape[1] / 2), codesAmong) : tf.scalar(0);
  const total = !wanted ? nmse : (tf.add(nmse, tf.mul(aux, auxAlpha)) as Scalar);
  return { total, nmse, aux };
}

/** The loss of one reconstruction. */
export function topkFamilyLoss(
  params: NamedTensors,
  step: Reconstructed,
  state: TrainState,
  options: Pick<TopkFamily, 'auxK' | 'auxAlpha'>,
): TopkFamilyLoss {
  return withAuxk(normalisedError(step.target, step.reconstruction, state), params, step, state, options);
}
