/** @file Several sources of error: one alone is Student's t, several add by their own quantiles, p and distance agree. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { distanceAt, tailBeyond } from './error-parts.ts';
import { studentCdf, studentQuantile } from './student-t.ts';

const test = suite('error parts');
const near = (actual: number, expected: number, tolerance = 1e-7) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} vs ${expected}`);

test('one source: Student’s t', () => {
  const parts = [{ variance: 4, df: 5 }];
  near(distanceAt(parts, 0.025), 2 * studentQuantile(0.975, 5));
  near(tailBeyond(parts, 3), studentCdf(-1.5, 5));
  near(tailBeyond(parts, -3), studentCdf(1.5, 5));
});

test('several: the root of the sum of squared distances, and p is where that distance is met', () => {
  const parts = [
    { variance: 1, df: 3 },
    { variance: 0.3, df: 11 },
  ];
  near(distanceAt(parts, 0.05) ** 2, studentQuantile(0.95, 3) ** 2 + 0.3 * studentQuantile(0.95, 11) ** 2);
  for (const distance of [0.1, 1, 4, 30]) near(distanceAt(parts, tailBeyond(parts, distance)), distance);
  near(tailBeyond(parts, 2) + tailBeyond(parts, -2), 1);
  assert.is(tailBeyond(parts, 0), 0.5);
  assert.ok(tailBeyond(parts, 1e9) <= 1e-12);
});

test.run();
