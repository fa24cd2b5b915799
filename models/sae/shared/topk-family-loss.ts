/** @file The loss of the TopK family: reconstruction in units of the data's variance, and AuxK. */
import { type NamedTensors, type Scalar, type TrainState, tf } from '../../../harness/contract.ts';
import { squaredError } from '../../../harness/kit/index.ts';
import { auxkLoss, type Reconstructed } from './auxk.ts';
import type { TopkFamily } from './topk-family.ts';

/** nmse + auxAlpha · aux, and the two. */
export interface TopkFamilyLoss {
  total: Scalar;
  nmse: Scalar;
  aux: Scalar;
}

/** The mean squared error over that of the mean, and AuxK while some latent is dead. */
export function topkFamilyLoss(
  params: NamedTensors,
  step: Reconstructed,
  state: TrainState,
  { auxK, auxAlpha }: Pick<TopkFamily, 'auxK' | 'auxAlpha'>,
): TopkFamilyLoss {
  const { target, reconstruction } = step;
  const unit = state.buffers['variance']!.dataSync()[0]! * target.size;
  const nmse = tf.div(squaredError(target, reconstruction), unit) as Scalar;
  const wanted = auxAlpha !== 0 && state.deadCount > 0;
  const aux = wanted ? auxkLoss(params, step, state, auxK ?? Math.ceil(step.x.shape[1] / 2)) : tf.scalar(0);
  const total = !wanted ? nmse : (tf.add(nmse, tf.mul(aux, auxAlpha)) as Scalar);
  return { total, nmse, aux };
}
