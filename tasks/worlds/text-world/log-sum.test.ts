/** @file Sums of logarithms by hand, and where a difference would cancel. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { logSum, sumsOfOthers } from './log-sum.ts';

const test = suite('text-world log sums');

test('by hand, with −∞, with values that exp cannot hold', () => {
  assert.is(logSum([]), -Infinity);
  assert.is(logSum([-Infinity, -Infinity]), -Infinity);
  assert.ok(Math.abs(logSum([Math.log(2), Math.log(3), -Infinity]) - Math.log(5)) < 1e-15);
  assert.ok(Math.abs(logSum([-2000, -2000]) - (-2000 + Math.LN2)) < 1e-12);
});

test('of all others, exactly beside a value that outweighs them', () => {
  assert.equal([...sumsOfOthers(Float64Array.of(0))], [-Infinity]);
  const [a, b, c] = sumsOfOthers(Float64Array.of(0, -50, -51));
  assert.ok(Math.abs(a! - (-50 + Math.log1p(Math.exp(-1)))) < 1e-12, `${a}`);
  assert.ok(Math.abs(b!) < 1e-12 && Math.abs(c!) < 1e-12);
});

test.run();
