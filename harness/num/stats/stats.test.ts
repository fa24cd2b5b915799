/** @file Statistics against scipy and numpy (testdata/metrics.py) and on cases with known answers. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { createRng } from '../rng.ts';
import { emptyMoments, mean, mergeMoments, momentsOf, standardDeviation, variance } from './moments.ts';
import { quantile, quantileOfMany, quantiles } from './quantiles.ts';
import { studentCdf, studentQuantile } from './student-t.ts';

const test = suite('stats');
const golden = JSON.parse(readFileSync(new URL('../testdata/metrics.golden.json', import.meta.url), 'utf8'));
const { a } = golden.samples;

test('moments merge to those of the whole, in any split', () => {
  const values = Array.from({ length: 50 }, createRng('moments').normal).map((v) => 1e6 + v);
  const whole = momentsOf(values);
  for (const cut of [0, 1, 20, 50]) {
    const merged = mergeMoments(momentsOf(values.slice(0, cut)), momentsOf(values.slice(cut)));
    assert.is(merged.n, 50);
    allclose([merged.mean, merged.m2], [whole.mean, whole.m2], { rtol: 1e-9 });
  }
  allclose([variance(momentsOf([2, 4, 4, 4, 5, 5, 7, 9]))!], [32 / 7]);
  assert.is(standardDeviation([3]), null);
  assert.is(mean([]), null);
  assert.equal(mergeMoments(emptyMoments(), emptyMoments()), emptyMoments());
});

test('quantiles equal numpy', () => {
  const { quantiles: expected } = golden.samples;
  allclose(quantiles(a, Object.keys(expected).map(Number)) as number[], Object.values(expected), { rtol: 1e-12 });
  assert.is(quantile([], 0.5), null);
  assert.is(quantile([3], 0.7), 3);
  assert.throws(() => quantile([1], 1.1), /in \[0, 1\]/);
});

test('a quantile of many values is that of the sorted ones', () => {
  const rng = createRng('quantile of many');
  for (const n of [1, 2, 3, 10, 1001]) {
    // Few values that are equal, and many.
    for (const kinds of [4, 1e9]) {
      const values = Float32Array.from({ length: n }, () => Math.floor(rng.uniform() * kinds) - kinds / 2);
      for (const p of [0, 0.1, 0.5, 0.937, 1]) assert.is(quantileOfMany(values, p), quantile(values, p), `${n} ${p}`);
    }
  }
});

test('Student t equals scipy', () => {
  for (const { df, t, cdf, p, quantile: q } of golden.student) {
    allclose([studentCdf(t, df), studentQuantile(p, df)], [cdf, q], { rtol: 1e-9 }, `df ${df}`);
  }
  assert.throws(() => studentQuantile(1, 3), /in \(0, 1\)/);
});

test.run();
