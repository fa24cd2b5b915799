/** @file Detectable changes: values of the noncentral t distribution, and the power that simulation gives. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { momentsOf, variance } from './moments.ts';
import { detectableDifference } from './paired.ts';
import { detectableChange } from './power.ts';
import { studentQuantile } from './student-t.ts';

const test = suite('power');

test('with a known error, the normal quantiles: 1.644854 + 0.841621', () => {
  const change = detectableChange([{ variance: 4, df: 1e6 }], 0.05);
  assert.ok(Math.abs(change / 2 - 2.486475) < 2e-3, String(change));
});

test('with few degrees of freedom it is more than the two quantiles of t add up to', () => {
  for (const df of [2, 4, 10]) {
    const [exact, about] = [detectableChange([{ variance: 1, df }], 0.005), detectableDifference({ se: 1, df }, 0.01)];
    assert.ok(exact > about && exact < 2 * about, `df ${df}: ${exact} vs ${about}`);
  }
});

test('a change of that size is found in 80 % of samples, its error known from as many values', () => {
  const [n, tail, draws] = [5, 0.01, 4000];
  const critical = studentQuantile(1 - tail, n - 1);
  const rng = createRng('power');
  const sample = (shift: number) => Array.from({ length: n }, () => shift + rng.normal());
  const partOf = (values: readonly number[]) => ({ variance: variance(momentsOf(values))! / n, df: n - 1 });
  const sizes = Array.from({ length: 401 }, () => detectableChange([partOf(sample(0))], tail));
  const size = sizes.sort((a, b) => a - b)[200]!;
  let found = 0;
  for (let i = 0; i < draws; i++) {
    const values = sample(size);
    if (momentsOf(values).mean / Math.sqrt(partOf(values).variance) > critical) found++;
  }
  assert.ok(Math.abs(found / draws - 0.8) < 0.04, `${found / draws}`);
});

test.run();
