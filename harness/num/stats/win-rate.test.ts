/** @file Win rates by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { winRate, won } from './win-rate.ts';

const test = suite('num/stats/win-rate');
const scores = (...values: (number | undefined)[]) =>
  new Map(values.flatMap((value, i) => (value === undefined ? [] : [[`c${i}`, value] as const])));

test('a win counts 1, a tie a half, over the units that both have', () => {
  assert.equal([won(2, 1), won(1, 1), won(0, 0), won(1, 2)], [1, 0.5, 0.5, 0]);
  // Won, tied, lost, unknown of one, unknown of the other, won.
  const rate = winRate(scores(1, 0.5, 0.2, undefined, 2, 3), scores(0.5, 0.5, 0.4, 1, undefined, 0));
  assert.equal([rate!.value, rate!.n], [(1 + 0.5 + 0 + 1) / 4, 4]);
  assert.ok(rate!.ci![0] >= 0 && rate!.ci![0] < rate!.value && rate!.ci![1] > rate!.value && rate!.ci![1] <= 1);
  assert.is(winRate(scores(1), scores(undefined, 1)), null);
  assert.is(winRate(scores(), scores()), null);
});

test('against itself a half; the two ways add up to 1', () => {
  const own = scores(1, 2, 0, 0.3);
  assert.is(winRate(own, own)!.value, 0.5);
  const other = scores(2, 2, 0, 0.1);
  assert.is(winRate(own, other)!.value + winRate(other, own)!.value, 1);
});

test.run();
