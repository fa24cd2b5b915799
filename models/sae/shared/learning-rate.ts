/** @file How a variant's learning rate follows the length of the run and the width of the dictionary. */
import type { RunLength, SaeShape } from '../../../harness/contract.ts';

/** The run that the recipes' learning rates are written for. */
const REFERENCE = { steps: 1500, d_sae: 512 };
/** Narrower dictionaries want no larger rate than one of this width. */
const NARROWEST = 256;
/** Best rates of all variants at 195 to 7,800 steps fall about so with the number of steps. */
const STEPS_EXPONENT = 0.4;
/** Below this many steps a still larger rate does harm. */
const FEWEST_STEPS = 150;

/** `rate` · √(512 / d_sae), as in dictionary_learning, · (1,500 / steps)^0.4. */
export function learningRate(rate: number, { d_sae }: SaeShape, { steps }: RunLength): number {
  const length = (REFERENCE.steps / Math.max(FEWEST_STEPS, steps)) ** STEPS_EXPONENT;
  return rate * Math.sqrt(REFERENCE.d_sae / Math.max(NARROWEST, d_sae)) * length;
}
