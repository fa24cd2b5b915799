/** @file The bootstrap: reproducible, covers, widens with clusters, pairs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { bootstrap, bootstrapMean, bootstrapRatio } from './bootstrap.ts';

const test = suite('bootstrap');

test('the same seed gives the same interval', () => {
  const values = [1, 2, 3, 4, 10];
  const once = bootstrapMean(values, createRng(1))!;
  assert.equal(once, bootstrapMean(values, createRng(1)));
  assert.is(once.value, 4);
  assert.is(once.n, 5);
  assert.ok(once.ci![0] < 4 && once.ci![1] > 4);
});

test('95 % intervals of a normal mean cover it about 95 % of the time', () => {
  const rng = createRng('coverage');
  let covered = 0;
  for (let trial = 0; trial < 300; trial++) {
    const values = Array.from({ length: 40 }, rng.normal);
    const [low, high] = bootstrapMean(values, rng.fork(trial), { resamples: 300 })!.ci!;
    if (low <= 0 && high >= 0) covered++;
  }
  assert.ok(covered > 267 && covered < 298, `${covered} of 300`);
});

test('identical values inside clusters: the interval is that of the clusters', () => {
  const clusterValues = [0, 1, 2, 3];
  const values = clusterValues.flatMap((value) => new Array(50).fill(value));
  const clusters = clusterValues.flatMap((value) => new Array(50).fill(value + 7));
  const clustered = bootstrapMean(values, createRng(2), { clusters })!;
  assert.equal(clustered, bootstrapMean(clusterValues, createRng(2)));
  assert.is(clustered.n, 4);
  const naive = bootstrapMean(values, createRng(2))!;
  assert.ok(clustered.ci![1] - clustered.ci![0] > 3 * (naive.ci![1] - naive.ci![0]));
  assert.throws(() => bootstrapMean([1, 2], createRng(1), { clusters: [0] }), /2 values with 1 cluster numbers/);
});

test('clusters of unequal size weigh by their size', () => {
  const estimate = bootstrapMean([1, 1, 1, 5], createRng(3), { clusters: [0, 0, 0, 1] })!;
  assert.is(estimate.value, 2);
  assert.equal(estimate.ci, [1, 5]);
});

test('an arbitrary statistic, undefined on some draws', () => {
  const values = [1, 5, 9];
  const estimate = bootstrap(
    3,
    (units) => (units.includes(2) ? Math.max(...Array.from(units, (unit) => values[unit]!)) : null),
    createRng(4),
  )!;
  assert.equal(estimate, { value: 9, ci: [9, 9], n: 3 });
  assert.is(
    bootstrap(3, () => null, createRng(4)),
    null,
  );
  assert.is(bootstrapMean([], createRng(4)), null);
  assert.equal(bootstrapMean([2], createRng(4)), { value: 2, ci: null, n: 1 });
  assert.is(bootstrapRatio([1], [0], createRng(4)), null);
});

test.run();
