/**
 * @file Tests and intervals on a difference whose error has several sources, each known from few values: the distances that
 * each source by itself would ask for add in squares (as in MOVER: Zou & Donner 2008). Degrees of freedom by Welch and
 * Satterthwaite are too many where the source that counts most is known least and came out small by chance: with four seeds
 * whose spread is large, 11 % of comparisons at 5 % were called different.
 */
import type { ErrorPart } from './paired.ts';
import { studentCdf, studentQuantile } from './student-t.ts';

/** Least p that is told from 0. */
const LEAST = 1e-12;
/** Relative error of a distance that is none, and the steps that a search for it may take. */
const [EXACT, MOST_STEPS] = [1e-9, 60];

/** How far a difference must lie from what is tested to have a one-sided p of `tail`, in (0, 0.5). */
export const distanceAt = (parts: readonly ErrorPart[], tail: number): number =>
  Math.sqrt(parts.reduce((sum, { variance, df }) => sum + variance * studentQuantile(1 - tail, df) ** 2, 0));

/** One-sided p of a difference that lies `distance` beyond what is tested; above 0.5 where it lies on the other side. */
export function tailBeyond(parts: readonly ErrorPart[], distance: number): number {
  if (distance <= 0) return distance === 0 ? 0.5 : 1 - tailBeyond(parts, -distance);
  const [first] = parts;
  if (parts.length === 1) return studentCdf(-distance / Math.sqrt(first!.variance), first!.df);
  // False position on log p, of which the distance is a smooth, falling function; a bound that stays is weighted down (Illinois).
  const excess = (logP: number) => distanceAt(parts, Math.exp(logP)) - distance;
  let [low, high] = [Math.log(LEAST), Math.log(0.5)];
  let [above, below] = [excess(low), -distance];
  if (above <= 0) return LEAST;
  for (let step = 0; step < MOST_STEPS; step++) {
    const middle = (low * below - high * above) / (below - above);
    const found = excess(middle);
    if (Math.abs(found) <= EXACT * distance) return Math.exp(middle);
    if (found > 0) [low, above, below] = [middle, found, below / 2];
    else [high, below, above] = [middle, found, above / 2];
  }
  return Math.exp((low + high) / 2);
}
