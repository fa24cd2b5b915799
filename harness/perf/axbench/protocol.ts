/** @file AxBench's protocol of steering over judged generations: overall scores, the choice of a factor, win rates (arXiv:2501.17148 §4). */

import { harmonicMean } from '../../../tasks/steering/ratings.ts';
import { won } from '../../num/stats/win-rate.ts';

/** What counts for a rating that cannot be read: nothing, or 0 as in AxBench's own code. */
export type Unreadable = 'missing' | 'zero';

/** One generation with its three ratings, each from 0 to 2; null where the reply has none. */
export interface Judged {
  concept: number;
  /** Number of the instruction among the concept's: the first five choose the factor, the others report. */
  input: number;
  factor: number;
  ratings: readonly [concept: number | null, instruct: number | null, fluency: number | null];
}

/** The harmonic mean of the three ratings, 0 if any is 0; null where one is missing and that does not count as 0. */
export function overallOf({ ratings }: Pick<Judged, 'ratings'>, unreadable: Unreadable): number | null {
  const [a, b, c] = ratings.map((rating) => (rating === null && unreadable === 'zero' ? 0 : rating));
  return a === null || b === null || c === null ? null : harmonicMean(a!, b!, c!);
}

/** Mean of what is there; null of nothing. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const there = values.filter((value) => value !== null);
  return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
}

/** Mean overall score by factor, rising. */
export function meansByFactor(
  generations: readonly Judged[],
  unreadable: Unreadable,
): { factor: number; overall: number | null }[] {
  const factors = [...new Set(generations.map(({ factor }) => factor))].sort((a, b) => a - b);
  return factors.map((factor) => ({
    factor,
    overall: meanOf(generations.filter((each) => each.factor === factor).map((each) => overallOf(each, unreadable))),
  }));
}

/** The first of the best, as AxBench takes it; undefined where nothing was rated. */
export function firstBest(means: readonly { factor: number; overall: number | null }[]): number | undefined {
  let best: { factor: number; overall: number } | undefined;
  for (const { factor, overall } of means) {
    if (overall !== null && (!best || overall > best.overall)) best = { factor, overall };
  }
  return best?.factor;
}

/** Instructions that choose the factor: those numbered below this. */
const SELECTION = 5;

/** What one concept scores: at the factor that its selection half chooses, the mean of the other half. */
export interface ConceptOutcome {
  concept: number;
  factor: number | undefined;
  overall: number | null;
}

/** Outcomes of all concepts, in the order of their numbers. */
export function outcomes(generations: readonly Judged[], unreadable: Unreadable): ConceptOutcome[] {
  const concepts = [...new Set(generations.map(({ concept }) => concept))].sort((a, b) => a - b);
  return concepts.map((concept) => {
    const own = generations.filter((each) => each.concept === concept);
    const factor = firstBest(
      meansByFactor(
        own.filter(({ input }) => input < SELECTION),
        unreadable,
      ),
    );
    const reported = own.filter((each) => each.input >= SELECTION && each.factor === factor);
    return { concept, factor, overall: meanOf(reported.map((each) => overallOf(each, unreadable))) };
  });
}

/** Mean over concepts of 1 for a higher score than the other method's, ½ for the same, 0 for a lower one; null without a concept in common. */
export function winRate(own: readonly ConceptOutcome[], other: readonly ConceptOutcome[]): number | null {
  const theirs = new Map(other.map(({ concept, overall }) => [concept, overall]));
  return meanOf(
    own.map(({ concept, overall }) => {
      const against = theirs.get(concept) ?? null;
      if (overall === null || against === null) return null;
      return won(overall, against);
    }),
  );
}
