/** @file What tables say of judges: nothing missing without a word, sums of several results joined. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResultJudging } from '../harness/schema/judging.generated.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { judgingLine, judgingOf } from './judging.ts';
import { realResult } from './testing/results.ts';

const test = suite('reports/judging');

const judged = (judging: ResultJudging[], model = 'm'): Result => {
  const made = realResult('bow', 'steering');
  const judge = { id: 'openai', version: 1, options: { model }, endpoint: 'http://h/v1' };
  const otherJudges = [{ id: 'dataset', version: 2, options: {} }];
  return { ...made, task: { ...made.task, judge, otherJudges }, judging };
};
const agreement = (sums: number[][]) => [
  { with: 'openai', rating: 'overall', units: sums.map((_, i) => `c${i}`), sums },
];

test('counts and sums of several results are joined', () => {
  const one = (missing: Record<string, number>, sums: number[][]) =>
    judged([
      { judge: 'openai', texts: 10, missing, agreement: [] },
      { judge: 'dataset', texts: 10, missing: {}, agreement: agreement(sums) },
    ]);
  const found = judgingOf([
    one({ 'no rating': 1 }, [[2, 2, 2, 4, 4, 4]]),
    one({ 'no rating': 2, budget: 4 }, [
      [2, 2, 2, 4, 4, 4],
      [2, 2, 2, 4, 4, 0],
    ]),
  ]);
  assert.equal(
    found.map(({ judge, texts, missing }) => [judge, texts, missing]),
    [
      ['openai', 20, { 'no rating': 3, budget: 4 }],
      ['dataset', 20, {}],
    ],
  );
  const [first, second] = found.map(judgingLine);
  assert.is(first, 'Judge openai (m at http://h/v1) left 7 of 20 texts unrated (4 × budget; 3 × no rating).');
  const [overall] = found[1]!.agreement[0]!.ratings;
  // Σ(x − y)² = 8 of 6 texts, where each is 0 or 2 at one in two.
  assert.equal([overall!.texts, overall!.kappa!.value], [6, 1 - 8 / 6 / 2]);
  assert.match(
    second!,
    /^Judge dataset rated all of 20 texts\. With openai, kappa of overall \(6 texts\) 0\.333 \[.*, difference 0/,
  );
});

test('results of two models stay apart: neither is told under the name of the other', () => {
  const of = (model: string, missing: Record<string, number>, sums: number[]) =>
    judged(
      [
        { judge: 'openai', texts: 10, missing, agreement: [] },
        { judge: 'dataset', texts: 10, missing: {}, agreement: agreement([sums, sums]) },
      ],
      model,
    );
  const agreed = [2, 2, 2, 4, 4, 4];
  const lines = judgingOf([of('m', { 'no rating': 1 }, agreed), of('n', { 'no rating': 5 }, [2, 2, 2, 4, 4, 0])]).map(
    judgingLine,
  );
  assert.equal(lines.length, 3);
  assert.is(lines[0], 'Judge openai (m at http://h/v1) left 1 of 10 texts unrated (1 × no rating).');
  assert.is(lines[2], 'Judge openai (n at http://h/v1) left 5 of 10 texts unrated (5 × no rating).');
  assert.match(
    lines[1]!,
    /^Judge dataset rated all of 20 texts\. With openai \(m at \S+\), kappa of overall \(4 texts\) 1[ .,].* With openai \(n at \S+\), kappa of overall \(4 texts\) [-−]1/,
  );
});

test('a judge that rated all and is compared with none is not spoken of, unless it is a model', () => {
  const [openai, dataset] = judgingOf([
    judged([
      { judge: 'openai', texts: 3, missing: {}, agreement: [] },
      { judge: 'dataset', texts: 3, missing: {}, agreement: [] },
    ]),
  ]).map(judgingLine);
  assert.is(openai, 'Judge openai (m at http://h/v1) rated all of 3 texts.');
  assert.is(dataset, undefined);
  const { judging: _judging, ...plain } = realResult('bow', 'steering');
  assert.equal(judgingOf([plain]), []);
});

test.run();
