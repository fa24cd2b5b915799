/** @file Ratings: harmonic mean, fluency by the task where the judge leaves it out, what is missing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { harmonicMean, ratingsOf } from './ratings.ts';

const test = suite('tasks/steering/ratings');

test('harmonic mean of three scores, 0 if any is 0', () => {
  assert.is(harmonicMean(2, 2, 2), 2);
  assert.is(harmonicMean(1, 2, 2), 1.5);
  assert.is(harmonicMean(1, 1, 2), 1.2);
  assert.is(harmonicMean(0, 2, 2), 0);
});

test('fluency is the task’s own where the judge leaves it out, and missing where the judge says so', () => {
  assert.equal(ratingsOf({ concept: 2, instruct: 1 }, 2), { concept: 2, instruct: 1, fluency: 2, overall: 1.5 });
  assert.is(ratingsOf({ concept: 2, instruct: 2, fluency: 0 }, 2).overall, 0);
  assert.is(ratingsOf({ concept: 2, instruct: 2, fluency: null }, 2).overall, null);
});

test('one missing rating leaves the others, and no overall score', () => {
  const rating = ratingsOf({ concept: 2, instruct: null, reason: 'refused' }, 2);
  assert.equal(rating, { concept: 2, instruct: null, fluency: 2, overall: null, reason: 'refused' });
});

test.run();
