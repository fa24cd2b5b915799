/** @file Medians with intervals between order statistics: by hand, and their coverage. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { medianInterval } from './median.ts';

const test = suite('median');

test('by hand: odd, even, few, none', () => {
  assert.is(medianInterval([]), null);
  assert.equal(medianInterval([3, 1, 2]), { value: 2, ci: null, n: 3 });
  assert.equal(medianInterval([4, 1, 2, 3, 9, 100]), { value: 3.5, ci: [1, 100], n: 6 });
  // The 6th and 15th of 20: ranks (20 ∓ 1.96 √20) / 2.
  const twenty = Array.from({ length: 20 }, (_, i) => 20 - i);
  assert.equal(medianInterval(twenty), { value: 10.5, ci: [5, 16], n: 20 });
});

test('an outlier moves nothing', () => {
  const times = Array.from({ length: 15 }, (_, i) => 1 + i / 100);
  const spiked = times.map((time, i) => (i === 14 ? 1000 : time));
  assert.equal(medianInterval(spiked)!.value, medianInterval(times)!.value);
});

test('covers the median of exponential values at least as often as it says', () => {
  const rng = createRng(0);
  let covered = 0;
  for (let round = 0; round < 4000; round++) {
    const { ci } = medianInterval(Array.from({ length: 15 }, () => -Math.log(1 - rng.uniform())))!;
    if (ci![0] <= Math.LN2 && Math.LN2 <= ci![1]) covered++;
  }
  assert.ok(covered / 4000 > 0.94, `${covered / 4000}`);
});

test.run();
