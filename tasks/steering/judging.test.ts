/** @file Several judges of the same texts: missing ratings, a second asking, agreement, and one outcome of all. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Rating, TaskJudge } from '../../harness/contract.ts';
import { eachOnce, type JudgeRecord, joinedOutcome, rateTexts, recordsOf } from './judging.ts';

const test = suite('tasks/steering/judging');

/** A judge that looks its ratings up. */
const judgeOf = (id: string, ratings: Record<string, Rating>): TaskJudge => ({
  ...{ id, version: 1, description: async () => id },
  rate: async (rows) => rows.map(({ text }) => ratings[text!]!),
});
const all = (value: number): Rating => ({ concept: value, instruct: value, fluency: value });
const none = (reason: string, later: boolean): Rating => ({ concept: null, instruct: 2, fluency: 2, reason, later });

const TEXTS = ['a', 'b', 'c', 'd'];
const rows = TEXTS.map((text, i) => ({ text, concept: { id: `c${i % 2}`, label: '' }, prompt: { id: 'p', text: '' } }));
const rate = (record: JudgeRecord, of = rows) =>
  rateTexts(
    record,
    of,
    of.map(() => 1),
    { progress: () => {} },
  );
const outcome = (value: number) => ({
  rows: [{ axes: { intervention: 'add' }, metrics: { overall: { value, ci95: null, n: 1 } } }],
  details: { 'detector/add': value },
});

test('what one judge left out is counted by its reason, once a text, and is incomplete where it can be asked for', async () => {
  const judge = judgeOf('j', {
    a: all(2),
    b: none('unreadable', false),
    c: none('budget', true),
    d: none('budget', true),
  });
  const [record] = recordsOf({ judge }) as [JudgeRecord];
  const ratings = await rate(record);
  await rate(record, rows.slice(0, 2));
  assert.equal(
    ratings.map(({ overall }) => overall),
    [2, null, null, null],
  );
  const joined = joinedOutcome([outcome(1)], [record]);
  assert.equal(joined.judging, [{ judge: 'j', texts: 4, missing: { unreadable: 1, budget: 2 }, agreement: [] }]);
  assert.equal(joined.rows[0]!.axes, { intervention: 'add' });
  assert.is(joined.incomplete, '2 texts that judge j could not be asked for');
  const message = 'judge j left 3 of 4 texts without a rating, which count nowhere: 2 × budget; 1 × unreadable';
  assert.equal(joined.marks, [{ code: 'ratings-missing', message }]);
  const [whole] = recordsOf({ judge: judgeOf('j', { a: all(2) }) }) as [JudgeRecord];
  await rate(whole, rows.slice(0, 1));
  const complete = joinedOutcome([outcome(1)], [whole]);
  assert.equal([complete.marks, complete.incomplete], [[], undefined]);
  assert.not.ok('agreement' in complete.details!);
});

test('fluency that a judge leaves to the task is part of its rating, and what is missing later but not needed is none', async () => {
  const judge = judgeOf('j', { a: { concept: 2, instruct: 2 } });
  const [record] = recordsOf({ judge }) as [JudgeRecord];
  const [rating] = await rate(record, rows.slice(0, 1));
  assert.equal([rating!.fluency, rating!.overall], [1, 1.5]);
});

test('two judges: rows with the axis, agreement on the texts that both rated, the first ranks', async () => {
  const first = judgeOf('first', { a: all(0), b: all(1), c: all(2), d: none('x', false) });
  const second = judgeOf('second', { a: { ...all(0), again: all(1) }, b: all(2), c: all(2), d: all(1) });
  const records = recordsOf({ judge: first, otherJudges: [second] });
  for (const record of records) await rate(record);
  const { rows: found, details, judging, marks } = joinedOutcome([outcome(1), outcome(2)], records);
  assert.equal(
    found.map(({ axes, metrics }) => [axes['judge'], metrics['overall']!.value]),
    [
      ['first', 1],
      ['second', 2],
    ],
  );
  assert.equal([details!['detector/add'], details!['judge second']], [1, { 'detector/add': 2 }]);
  assert.is(marks!.length, 1);
  assert.equal(judging![0]!.agreement, []);
  const { agreement } = judging![1]!;
  const sums = Object.fromEntries(agreement.map(({ with: other, rating, ...rest }) => [`${other} ${rating}`, rest]));
  // Itself: 0 and then 1 on the text a, of the concept c0. Against the first: a and c of c0, b of c1; d of c1 lacks a rating.
  assert.equal(sums['null concept'], { units: ['c0'], sums: [[1, 0, 1, 0, 1, 0]] });
  assert.equal(sums['first overall'], {
    units: ['c0', 'c1'],
    sums: [
      [2, 2, 2, 4, 4, 4],
      [1, 2, 1, 4, 1, 2],
    ],
  });
  assert.equal(sums['first instruct']!.sums[1], [2, 3, 3, 5, 5, 4]);
  const list = (
    details!['agreement'] as Record<string, { with: string; rating: string; mean_difference: { value: number } }[]>
  )['second']!;
  const overall = list.find((each) => each.with === 'first' && each.rating === 'overall')!;
  assert.ok(Math.abs(overall.mean_difference.value - 1 / 3) < 1e-12);
});

test('each text is generated once, in the order that is asked for', async () => {
  const made: string[] = [];
  const key = (c: number, p: number) => ({ c, p });
  const generate = eachOnce(
    ({ c, p }: ReturnType<typeof key>) => `${c} ${p}`,
    async (wanted) =>
      wanted.map(({ c, p }) => {
        made.push(`${c}${p}`);
        return { text: `${c}${p}` };
      }),
  );
  await generate([key(0, 0), key(0, 1)]);
  const texts = await generate([key(1, 0), key(0, 1), key(1, 1)]);
  assert.equal(
    texts.map(({ text }) => text),
    ['10', '01', '11'],
  );
  assert.equal(made, ['00', '01', '10', '11']);
});

test.run();
