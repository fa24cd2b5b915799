/** @file Preference and utility odds on pairs that can be worked out. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { preferenceOdds, utilityOdds } from './preference-odds.ts';

const test = suite('num/metrics/preference-odds');
const close = (found: number | undefined, expected: number) => assert.ok(Math.abs(found! - expected) < 1e-12);

test('preference: the loss without the concept less that with it', () => {
  assert.is(preferenceOdds({ positive: 2, negative: 3.5 }), 1.5);
  assert.is(preferenceOdds({ positive: 3.5, negative: 2 }), -1.5);
});

test('utility: odds of the sum of the two probabilities', () => {
  // 1/4 + 1/4: even odds. 1/8 + 1/4 = 3/8: 3 to 5.
  close(utilityOdds({ positive: Math.log(4), negative: Math.log(4) }), 0);
  close(utilityOdds({ positive: Math.log(8), negative: Math.log(4) }), Math.log(3 / 5));
  assert.is(
    utilityOdds({ positive: Math.log(4), negative: Math.log(8) }),
    utilityOdds({ positive: Math.log(8), negative: Math.log(4) }),
  );
});

test('utility is undefined once the two probabilities sum to 1, never infinite', () => {
  assert.is(utilityOdds({ positive: 0.5, negative: 0.6 }), undefined);
  assert.is(utilityOdds({ positive: 0, negative: 50 }), undefined);
  assert.is(utilityOdds({ positive: Infinity, negative: Infinity }), undefined);
  assert.ok(Number.isFinite(utilityOdds({ positive: 700, negative: 700 })!));
});

test('utility falls as either loss grows', () => {
  let before = Infinity;
  for (const loss of [1.2, 2, 3, 6, 12]) {
    const odds = utilityOdds({ positive: loss, negative: 2 })!;
    assert.ok(odds < before);
    before = odds;
  }
});

test.run();
