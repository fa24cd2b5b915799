/** @file The choice of a factor under a bound on utility: what may be chosen, and where to look next. */
import { bestPlace, nextFactor, type Trial } from '../factor-search.ts';

/** What holds back the factor of a concept. */
export type Gate = 'utility-odds' | 'perplexity';

/** The score of a factor that breaks the bound lies below this, and is lower the more it breaks it. */
const FORBIDDEN = -1e6;
/** The score of a factor whose gain or loss of utility is unknown. */
const UNKNOWN = 2 * FORBIDDEN;
/** Two factors closer than this are not told apart by another between them. */
const CLOSE = 1.05;

/**
 * What a factor is ranked by: the gain where the loss of utility is within the bound. A factor of which either is unknown
 * (undefined, or beyond all numbers) is not chosen: nothing says that it keeps the bound.
 */
export function boundedScore(gain: number, loss: number | undefined, bound: number): number {
  if (loss === undefined || !Number.isFinite(gain) || !Number.isFinite(loss)) return UNKNOWN;
  return loss <= bound ? gain : Math.max(FORBIDDEN - (loss - bound), UNKNOWN + 1);
}

/** Whether a factor keeps within the bound. */
export const allowed = ({ score }: Trial): boolean => score > FORBIDDEN;

/** Whether it is known if it does. */
export const known = ({ score }: Trial): boolean => score > UNKNOWN;

/** The best of what is allowed; undefined where nothing is. */
export function bestAllowed<T extends Trial>(trials: readonly T[]): T | undefined {
  const within = trials.filter(allowed);
  return within[bestPlace(within.map(({ score }) => score))];
}

/**
 * The factor to try after these, which rise: between the best and the next that breaks the bound (their geometric mean), so
 * that no method is held back by where the grid happens to lie; below all where none is allowed; else beyond the end at
 * which the best lies.
 */
export function nextUnderBound(trials: readonly Trial[]): number | undefined {
  const best = bestAllowed(trials);
  if (!best) return trials.length > 0 && trials[0]!.factor > 0 ? trials[0]!.factor / 2 : undefined;
  const above = trials[trials.indexOf(best) + 1];
  if (above && !allowed(above)) {
    return above.factor / best.factor > CLOSE ? Math.sqrt(best.factor * above.factor) : undefined;
  }
  return nextFactor(trials.filter(allowed));
}
