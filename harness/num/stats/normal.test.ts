/** @file Normal quantiles against Python's `statistics.NormalDist().inv_cdf`. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { normalCdf, normalQuantile } from './normal.ts';

const test = suite('normal quantiles');

test('equal to Python to 15 digits, in the middle and in both tails', () => {
  const known: [number, number][] = [
    [1e-20, -9.262340089798409],
    [1e-9, -5.9978070150076865],
    [5e-4, -3.2905267314918945],
    [0.03, -1.8807936081512509],
    [0.075, -1.4395314709384563],
    [0.3, -0.5244005127080409],
    [0.5, 0],
    [0.6, 0.2533471031357997],
    [0.925, 1.4395314709384563],
    [0.99, 2.3263478740408408],
  ];
  for (const [p, z] of known) assert.ok(Math.abs(normalQuantile(p) - z) < 1e-14 * Math.max(1, Math.abs(z)), `${p}`);
});

test('endless at 0 and 1, refused outside', () => {
  assert.is(normalQuantile(0), -Infinity);
  assert.is(normalQuantile(1), Infinity);
  for (const p of [-0.1, 1.1, Number.NaN]) assert.throws(() => normalQuantile(p), RangeError);
});

test('the distribution is the inverse of its quantiles', () => {
  for (const p of [1e-9, 0.03, 0.5, 0.6, 0.99]) assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-14, `${p}`);
  assert.equal([normalCdf(-40), normalCdf(40)], [0, 1]);
});

test.run();
