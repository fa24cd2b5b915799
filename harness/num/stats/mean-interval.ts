/** @file The interval of a mean over independent units such as concepts, few or many. */
import type { Rng } from '../rng.ts';
import { bootstrapMean, type Estimate } from './bootstrap.ts';
import { studentInterval } from './student-t.ts';

/** Below this a percentile bootstrap is much too narrow: of 2 values it can be no wider than their difference. */
const FEW = 10;

/**
 * Mean with its 95 % interval: Student's t below 10 values, cut at the ends of `range` (null: open), the percentile
 * bootstrap from there on. Null of nothing; `ci` is null of one value.
 */
export function meanInterval(
  values: ArrayLike<number>,
  rng: Rng,
  [lowest, highest]: readonly [number | null, number | null] = [null, null],
): Estimate | null {
  if (values.length >= FEW) return bootstrapMean(values, rng);
  const estimate = studentInterval(values);
  if (!estimate?.ci) return estimate;
  const [low, high] = estimate.ci;
  return { ...estimate, ci: [Math.max(low, lowest ?? low), Math.min(high, highest ?? high)] };
}
