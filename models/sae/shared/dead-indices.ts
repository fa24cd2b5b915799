/** @file Which latents are dead, as indices to gather by. */
import { type Tensor1D, type TrainState, tf } from '../../../harness/contract.ts';

/** Indices of the dead latents, int32 [deadCount]. */
export function deadIndices(state: TrainState): Tensor1D {
  const flags = state.dead.dataSync();
  const indices = new Int32Array(state.deadCount);
  let at = 0;
  for (let i = 0; i < flags.length; i++) if (flags[i]) indices[at++] = i;
  return tf.tensor1d(indices, 'int32');
}
