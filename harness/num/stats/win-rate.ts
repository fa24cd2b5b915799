/** @file Win rates: how often one method scores higher than another on the same units. */
import { type Estimate, meanInterval } from './interval.ts';

/** 1 where the first is higher, ½ where both are equal (AxBench), 0 where it is lower. */
export const won = (own: number, other: number): number => (own > other ? 1 : own === other ? 0.5 : 0);

/**
 * Mean of {@link won} over the units that both have a score of, by name, with an interval over these units; null without one in
 * common.
 */
export function winRate(own: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): Estimate | null {
  const values = [...own].flatMap(([unit, score]) => {
    const theirs = other.get(unit);
    return theirs === undefined ? [] : [won(score, theirs)];
  });
  return meanInterval(values, [0, 1]);
}
