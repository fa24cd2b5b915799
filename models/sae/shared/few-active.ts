/** @file Sparse codes in the training of variants whose number of active latents is not fixed. */
import type { Tensor2D, TrainState } from '../../../harness/contract.ts';
import { type LinearEncoder, positiveEncode, type TopkCodes } from '../../../harness/kit/index.ts';

/** After a step that was too dense, sparse codes are tried again once L0 has fallen to this part of what it was. */
const FALLEN = 0.7;

/**
 * The positive pre-activations of one batch as sparse codes, or undefined while they are many, as early in training. What
 * the guess is based on stands in `scalars`: `activeWidth`, `denseL0`.
 */
export function fewActive(x: Tensor2D, encoder: LinearEncoder, { last, scalars }: TrainState): TopkCodes | undefined {
  if (last === undefined || last.l0 > FALLEN * (scalars['denseL0'] ?? Infinity)) return undefined;
  const codes = positiveEncode(x, encoder, scalars['activeWidth'] ?? 2 * last.l0);
  if (codes) {
    scalars['activeWidth'] = codes.indices.shape[1];
    delete scalars['denseL0'];
  } else {
    scalars['denseL0'] = last.l0;
    delete scalars['activeWidth'];
  }
  return codes;
}
