/** @file What a judge from outside returns: one rating for each row, from 0 to 2 or null. */
import type { JudgeDefinition, JudgedRow, OpenJudge, Rating } from '../contract/judge.ts';
import { type Author, checkedAsync, checkedReason, demand, functionsOf, isRecord } from './expect.ts';

const NAMES = ['concept', 'instruct', 'fluency'] as const;

const isRating = (value: unknown) => value === null || (typeof value === 'number' && value >= 0 && value <= 2);

function requireRatings(author: Author, ratings: readonly Rating[], rows: readonly JudgedRow[]): void {
  const whole = Array.isArray(ratings) && ratings.length === rows.length;
  demand(author, 'rate', whole, `a list of ${rows.length} ratings, one for each row`, ratings);
  for (const [i, rating] of ratings.entries()) {
    demand(author, `rate: [${i}]`, isRecord(rating), '{ concept, instruct }', rating);
    for (const name of NAMES) {
      const left = name === 'fluency' && rating[name] === undefined;
      demand(
        author,
        `rate: [${i}].${name}`,
        left || isRating(rating[name]),
        'a number from 0 to 2 or null',
        rating[name],
      );
    }
    const { again } = rating;
    const twice = again === undefined || (isRecord(again) && NAMES.every((name) => isRating(again[name] ?? null)));
    demand(author, `rate: [${i}].again`, twice, '{ concept, instruct } of numbers from 0 to 2 or null', again);
    const told = rating.reason === undefined || typeof rating.reason === 'string';
    demand(author, `rate: [${i}].reason`, told, 'a text', rating.reason);
  }
}

function checkedOpen(author: Author, judge: OpenJudge): OpenJudge {
  demand(author, 'open', isRecord(judge), '{ description, rate, dispose }', judge);
  const there = functionsOf(author, judge, ['rate', 'dispose'], 'open: ');
  demand(author, 'open', there.length === 2, 'both rate and dispose', judge);
  demand(author, 'open: description', typeof judge.description === 'string', 'a text', judge.description);
  return {
    description: judge.description,
    rate: checkedAsync(author, 'rate', judge, judge.rate, (ratings, rows) => requireRatings(author, ratings, rows)),
    dispose: () => judge.dispose(),
  };
}

/** A judge from outside with what it returns checked. */
export function checkedJudgePlugin(definition: JudgeDefinition, file: string): JudgeDefinition {
  const author: Author = { file };
  const there = functionsOf(author, definition, ['unavailable', 'asks', 'replyOptions']);
  const open = checkedAsync(author, 'open', definition, definition.open, () => {});
  return {
    ...definition,
    open: async (context) => checkedOpen(author, await open(context)),
    ...(there.includes('unavailable') && { unavailable: checkedReason(author, definition, definition.unavailable!) }),
  };
}
