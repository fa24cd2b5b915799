/**
 * @file Krippendorff's α: how far raters agree beyond chance, with any number of raters, missing ratings and any measure of
 * how far two ratings lie apart (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).
 */
import type { Rng } from '../rng.ts';
import type { Estimate } from './interval.ts';

/** How far two categories lie apart: 0 for equal ones, symmetric. */
export type Distance = (a: number, b: number) => number;

/** For answers that are the same or not. */
export const nominal: Distance = (a, b) => (a === b ? 0 : 1);

/** What one unit adds to α. */
interface UnitParts {
  /** Σ of the distances of its ordered pairs of ratings ÷ (ratings − 1). */
  observed: number;
  /** Ratings by category. */
  counts: Map<number, number>;
  ratings: number;
}

/** Units with fewer than two ratings say nothing of agreement. */
function partsOf(ratings: readonly number[], distance: Distance): UnitParts | undefined {
  if (ratings.length < 2) return undefined;
  let observed = 0;
  for (const [i, a] of ratings.entries()) for (const b of ratings.slice(i + 1)) observed += 2 * distance(a, b);
  const counts = new Map<number, number>();
  for (const rating of ratings) counts.set(rating, (counts.get(rating) ?? 0) + 1);
  return { observed: observed / (ratings.length - 1), counts, ratings: ratings.length };
}

/** 1 − observed ÷ expected disagreement; null where all ratings are equal, as then nothing could be told from chance. */
function alphaOf(parts: readonly UnitParts[], distance: Distance): number | null {
  const counts = new Map<number, number>();
  let [observed, n] = [0, 0];
  for (const unit of parts) {
    observed += unit.observed;
    n += unit.ratings;
    for (const [category, count] of unit.counts) counts.set(category, (counts.get(category) ?? 0) + count);
  }
  const all = [...counts];
  let expected = 0;
  for (const [i, [a, count]] of all.entries()) {
    for (const [b, other] of all.slice(i + 1)) expected += 2 * count * other * distance(a, b);
  }
  return expected > 0 ? 1 - (observed / expected) * (n - 1) : null;
}

const RESAMPLES = 1000;

/**
 * α with its 95 % interval: units are drawn anew with replacement, those of one cluster together (percentiles of 1,000
 * resamples; those in which all ratings are equal are left out). `n` counts the clusters of units with two ratings or more.
 *
 * @param units The ratings of each unit, as numbers of categories; missing ones are left out.
 * @param clusters Of each unit, what it belongs to: units about one thing are not independent.
 */
export function krippendorff(
  units: readonly (readonly number[])[],
  clusters: readonly number[],
  rng: Rng,
  distance: Distance = nominal,
): Estimate | null {
  const byCluster = new Map<number, UnitParts[]>();
  units.forEach((ratings, i) => {
    const parts = partsOf(ratings, distance);
    if (parts) byCluster.set(clusters[i]!, [...(byCluster.get(clusters[i]!) ?? []), parts]);
  });
  const groups = [...byCluster.values()];
  const value = alphaOf(groups.flat(), distance);
  if (value === null) return null;
  const n = groups.length;
  if (n < 2) return { value, ci: null, n };
  const drawn: number[] = [];
  for (let b = 0; b < RESAMPLES; b++) {
    const alpha = alphaOf(
      groups.flatMap(() => rng.choice(groups)),
      distance,
    );
    if (alpha !== null) drawn.push(alpha);
  }
  drawn.sort((a, b) => a - b);
  const at = (share: number) => drawn[Math.round(share * (drawn.length - 1))]!;
  return { value, ci: [Math.min(value, at(0.025)), Math.max(value, at(0.975))], n };
}
