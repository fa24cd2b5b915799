/** @file The interval of a mean over independent units such as concepts, few or many. */
import type { Rng } from '../rng.ts';
import { bootstrapMean, type Estimate } from './bootstrap.ts';
import { studentInterval } from './student-t.ts';

/** Below this a percentile bootstrap is much too narrow: of 2 values it can be no wider than their difference. */
const FEW = 10;

/**
 * Mean with its 95 % interval: Student's t below 10 values, the percentile bootstrap from there on. Null of nothing;
 * `ci` is null of one value. The t interval may end outside the range of the values.
 */
export function meanInterval(values: ArrayLike<number>, rng: Rng): Estimate | null {
  return values.length < FEW ? studentInterval(values) : bootstrapMean(values, rng);
}
