/** @file How a variant's learning rate follows the length of the run, its batch and the width of the dictionary. */
import type { RunLength, SaeShape } from '../../../harness/contract.ts';

/** The run that the recipes' learning rates are written for. */
const REFERENCE = { steps: 1500, d_sae: 512 };
/** Narrower dictionaries want no larger rate than one of this width. */
const NARROWEST = 256;
/** Best rates of all variants at 195 to 7,800 steps of the default batch fall about so with the number of steps. */
const STEPS_EXPONENT = 0.4;
/** Below this many steps a still larger rate does harm. */
const FEWEST_STEPS = 100;

/**
 * `rate` · √(512 / d_sae), as in dictionary_learning, · (1,500 / steps)^0.4 for the steps that the run's tokens make by
 * default, and of those · (steps by default / steps)^`batchExponent` where another batch is asked for.
 *
 * @param batchExponent Between 1/2 (√batch) and 1 for the best rates on data with a known dictionary, batches 64 to 1,024.
 * @param stepsExponent In place of 0.4.
 */
export function learningRate(
  rate: number,
  { d_sae }: SaeShape,
  run: RunLength,
  batchExponent: number,
  stepsExponent = STEPS_EXPONENT,
): number {
  const [usual, steps] = [run.usualSteps, run.steps].map((count) => Math.max(FEWEST_STEPS, count)) as [number, number];
  const length = (REFERENCE.steps / usual) ** stepsExponent * (usual / steps) ** batchExponent;
  return rate * Math.sqrt(REFERENCE.d_sae / Math.max(NARROWEST, d_sae)) * length;
}
