/** @file Sparse codes in the training of variants whose number of active latents is not fixed. */
import type { Tensor2D, TrainState } from '../../../harness/contract.ts';
import { type LinearEncoder, positiveEncode, type TopkCodes } from '../../../harness/kit/index.ts';

/** After a step that was too dense, sparse codes are tried again once L0 has fallen to this part of what it was. */
const FALLEN = 0.7;

/** Codes, unless they are many, and what the next step's guess is based on: part of a loss's `carry`. */
export interface FewActive {
  few?: TopkCodes;
  carry: { activeWidth?: number; denseL0?: number };
}

/** How many active latents, as a part of all, the first step guesses at: an SAE may start out sparse. */
const FIRST_GUESS = 1 / 64;

/** The positive pre-activations of one batch as sparse codes, or none while they are many, as early in training. */
export function fewActive(x: Tensor2D, encoder: LinearEncoder, { last }: TrainState): FewActive {
  const { activeWidth, denseL0 = Infinity }: FewActive['carry'] = last?.carry ?? {};
  if (last && last.l0 > FALLEN * denseL0) return { carry: last.carry ?? {} };
  const guess = last ? 2 * last.l0 : FIRST_GUESS * encoder.W_enc.shape[1];
  const few = positiveEncode(x, encoder, activeWidth ?? guess);
  if (few) return { few, carry: { activeWidth: few.indices.shape[1] } };
  return { carry: last ? { denseL0: last.l0 } : {} };
}
