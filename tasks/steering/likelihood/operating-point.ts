/** @file Gates at one fixed operating point: what a method does at a factor that nobody chose for the concept. */
import type { Goal } from './metrics.ts';
import type { Tried } from './pair-change.ts';

/** What was measured at the fixed factor, on the reporting half. */
export interface OperatingPoint extends Tried {
  /** Rise of PrefOdds on the same pairs in another context; undefined where a method is not read so. */
  perturbedGain?: number;
}

/** Whether each gate is passed; undefined where nothing says it. */
export type Gates = Record<'concept' | 'utility' | 'robustness' | 'all', boolean | undefined>;

/**
 * Concept: the gain is at least `least`. Utility: its loss, as it bounds the tuned factor, is within `bound`. Robustness: the gain is
 * at least `least` in another context too. A gate whose number is unknown is neither passed nor failed.
 */
export function gatesOf(
  { gain, utility, perplexity, perturbedGain }: OperatingPoint,
  { goal, least, bound, byPerplexity }: { goal: Goal; least: number; bound: number; byPerplexity: boolean },
): Gates {
  const sign = goal === 'promote' ? 1 : -1;
  const enough = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? undefined : sign * value >= least;
  const loss = byPerplexity ? perplexity : utility === undefined ? undefined : -utility;
  const each = {
    concept: enough(gain),
    utility: loss === undefined || Number.isNaN(loss) ? undefined : loss <= bound,
    robustness: enough(perturbedGain),
  };
  const values = Object.values(each);
  const all = values.includes(false) ? false : values.includes(undefined) ? undefined : true;
  return { ...each, all };
}
