/** @file The bootstrap: reproducible, covers, widens with clusters, pairs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { bootstrapMean, bootstrapRatio, bootstrapSums, columnSums, resampledSums } from './bootstrap.ts';

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

test('functions of sums on the same resamples, undefined on some of them', () => {
  // Units with the columns (value, 1): the mean is undefined unless the last unit was drawn.
  const columns = Float64Array.of(1, 1, 5, 1, 9, 1);
  const seen: (number | null)[] = [];
  const { mean, never, twice } = bootstrapSums(
    columns,
    2,
    ([sum, count], resample) => {
      seen.push(resample);
      return { mean: sum! / count! > 5 ? 9 : sum! / count! === 5 ? 5 : null, never: null, twice: 2 * sum! };
    },
    createRng(4),
    { resamples: 50 },
  );
  assert.equal(mean, { value: 5, ci: [5, 9], n: 3 });
  assert.is(never, null);
  assert.is(twice!.value, 30);
  assert.equal(seen, [null, ...Array(50).keys()]);
});

test('resampled sums draw as the stream says, in any number of columns', () => {
  const [n, resamples] = [700, 2000];
  const rng = createRng('by hand');
  const values = Float64Array.from({ length: n }, rng.normal);
  const pairs = new Float64Array(2 * n).map((_, at) => (at % 2 === 0 ? values[at / 2]! : 1));
  // More draws than are made or kept at a time.
  const [one, two, plain] = [createRng(5), createRng(5), createRng(5)];
  const single = resampledSums(values, 1, one, resamples);
  const double = resampledSums(pairs, 2, two, resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[plain.int(n)]!;
    assert.is(single[r], sum);
    assert.is(double[2 * r], sum);
    assert.is(double[2 * r + 1], n);
  }
  assert.equal([one.state(), two.state()], [plain.state(), plain.state()]);
  assert.equal([...columnSums(pairs, 2)], [values.reduce((sum, value) => sum + value, 0), n]);
});

test('of nothing, of one value and by a denominator of zero', () => {
  assert.is(bootstrapMean([], createRng(4)), null);
  assert.equal(bootstrapMean([2], createRng(4)), { value: 2, ci: null, n: 1 });
  assert.is(bootstrapRatio([1], [0], createRng(4)), null);
});

test.run();
