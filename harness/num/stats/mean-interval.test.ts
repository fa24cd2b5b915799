import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { bootstrapMean } from './bootstrap.ts';
import { meanInterval } from './mean-interval.ts';

const test = suite('mean-interval');

test('two values: mean ± 12.706 · s / √2', () => {
  const { value, ci, n } = meanInterval([0.4, 0.42], createRng(1))!;
  assert.ok(Math.abs(value - 0.41) < 1e-12 && n === 2);
  // s / √2 = 0.01
  assert.ok(Math.abs(ci![0] - (0.41 - 0.127062)) < 1e-6 && Math.abs(ci![1] - (0.41 + 0.127062)) < 1e-6);
});

test('an interval ends where the metric does', () => {
  assert.equal(meanInterval([0.8, 1], createRng(1), [0, 1])!.ci, [0, 1]);
  const [low, high] = meanInterval([0.8, 1], createRng(1), [0, null])!.ci!;
  assert.ok(low === 0 && Math.abs(high - (0.9 + 1.27062)) < 1e-5);
});

test('nothing, one value, and many', () => {
  assert.is(meanInterval([], createRng(1)), null);
  assert.equal(meanInterval([3], createRng(1)), { value: 3, ci: null, n: 1 });
  const many = Array.from({ length: 10 }, (_, i) => i * i);
  assert.equal(meanInterval(many, createRng(1)), bootstrapMean(many, createRng(1)));
});

test('few normal values: the mean is covered about 95 % of the time, which the bootstrap does not reach', () => {
  const rng = createRng('few');
  let [covered, byBootstrap] = [0, 0];
  const within = (ci: [number, number] | null) => (ci![0] <= 0 && ci![1] >= 0 ? 1 : 0);
  for (let trial = 0; trial < 400; trial++) {
    const values = Array.from({ length: 3 }, rng.normal);
    covered += within(meanInterval(values, rng)!.ci);
    byBootstrap += within(bootstrapMean(values, rng.fork(trial), { resamples: 200 })!.ci);
  }
  assert.ok(covered > 366 && covered < 394, `${covered} of 400`);
  assert.ok(byBootstrap < 340, `${byBootstrap} of 400`);
});

test.run();
