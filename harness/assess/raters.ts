/** @file Which raters count: those who passed the attention checks. And what each answered to what. */
import type { AssessmentKey, KeyItem } from '../schema/assessment-key.generated.ts';
import type { Rating } from './ratings.ts';

/** A rater counts who failed at most this share of the attention checks that they answered, and answered one at least and a question. */
export const MOST_FAILED = 0.25;

export interface KeptRaters {
  /** Names, sorted. */
  raters: string[];
  excluded: { rater: string; reason: string }[];
}

const passed = (answer: string, { gold }: KeyItem): boolean => answer.trim().toLowerCase() === gold;

/** Raters with any answer, those who did not pass apart with the reason. */
export function keptRaters({ items }: Pick<AssessmentKey, 'items'>, ratings: readonly Rating[]): KeptRaters {
  const checks = new Map(items.filter(({ kind }) => kind === 'check').map((item) => [item.id, item]));
  const found: KeptRaters = { raters: [], excluded: [] };
  for (const rater of [...new Set(ratings.map((rating) => rating.rater))].sort()) {
    const own = ratings.filter((rating) => rating.rater === rater);
    const answered = own.filter(({ item }) => checks.has(item));
    const failed = answered.filter(({ item, answer }) => !passed(answer, checks.get(item)!)).length;
    if (answered.length === 0) found.excluded.push({ rater, reason: 'answered no attention check' });
    else if (failed > MOST_FAILED * answered.length)
      found.excluded.push({ rater, reason: `failed ${failed} of ${answered.length} attention checks` });
    else if (answered.length === own.length)
      found.excluded.push({ rater, reason: 'answered nothing but attention checks' });
    else found.raters.push(rater);
  }
  return found;
}

/** An answer in the terms of its question, whatever order its groups were shown in. */
export const canonicalAnswer = (answer: string, { order }: KeyItem): string =>
  order ? String(order[Number(answer) - 1]! + 1) : answer;
