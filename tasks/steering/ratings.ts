/** @file Ratings of one generated text: the judge's, and fluency by likelihood where the judge leaves it out. */
import type { Rating } from '../../harness/contract.ts';
import type { TextLikelihood } from '../judges/parts/fluency.ts';

/** A continuation of a prompt: the generated text alone, and what its fluency is judged by. */
export interface Generation extends TextLikelihood {
  text: string;
}

/** Scores of one generation, each from 0 to 2; null where the judge gave none. */
export interface Ratings {
  concept: number | null;
  instruct: number | null;
  fluency: number | null;
  /** Harmonic mean of the three; 0 if any is 0 (AxBench §4), null if any is missing. */
  overall: number | null;
  /** Why one is missing. */
  reason?: string;
}

/** Harmonic mean of three scores; 0 if any is 0. */
export function harmonicMean(a: number, b: number, c: number): number {
  return a > 0 && b > 0 && c > 0 ? 3 / (1 / a + 1 / b + 1 / c) : 0;
}

/** @param byLikelihood Fluency where the judge gives none. */
export function ratingsOf(rating: Rating, byLikelihood: number): Ratings {
  const { concept, instruct, fluency = byLikelihood, reason } = rating;
  const whole = concept !== null && instruct !== null && fluency !== null;
  const overall = whole ? harmonicMean(concept, instruct, fluency) : null;
  return { concept, instruct, fluency, overall, ...(whole || reason === undefined ? {} : { reason }) };
}
