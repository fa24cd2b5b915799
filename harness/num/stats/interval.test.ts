/** @file Intervals by hand, and how often they cover: coverage.md is the table of the same simulation with more trials. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  coverageByCluster,
  coverageOfCrossed,
  coverageOfMean,
  coverageTable,
  NORMAL,
  SKEWED,
  simulationError,
} from '../../testing/interval-coverage.ts';
import { createRng } from '../rng.ts';
import { byCluster, meanInterval, ratioInterval, widenInterval } from './interval.ts';
import { ratioSamples } from './samples.ts';

const test = suite('interval');
const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} vs ${expected}`);

test('two values and symmetric ones: mean ± t · s / √n', () => {
  // s / √2 = 0.01, t of one degree of freedom 12.7062.
  const { value, ci, n } = meanInterval([0.4, 0.42])!;
  near(value, 0.41);
  assert.is(n, 2);
  near(ci![0], 0.41 - 0.127062, 1e-6);
  near(ci![1], 0.41 + 0.127062, 1e-6);
  // s = √10 / 2, t of four 2.776445.
  const five = meanInterval([1, 2, 3, 4, 5])!;
  near(five.ci![1] - 3, (2.776445 * Math.sqrt(2.5)) / Math.sqrt(5), 1e-6);
});

test('skewed values: further out on the side of the tail, and the mirror image is the mirrored interval', () => {
  const values = [0.98, 0.97, 0.99, 0.96, 0.6];
  const { value, ci } = meanInterval(values)!;
  assert.ok(value - ci![0] > 2 * (ci![1] - value), String(ci));
  const mirrored = meanInterval(values.map((each) => 1 - each))!;
  near(mirrored.ci![0], 1 - ci![1]);
  near(mirrored.ci![1], 1 - ci![0]);
});

test('Hall’s transformation by hand: bounds are where it meets the quantiles of t', () => {
  const values = [0, 1, 1, 2, 5, 3, 2, 3];
  const n = values.length;
  const mean = values.reduce((a, b) => a + b) / n;
  const moment = (k: number) => values.reduce((sum, value) => sum + (value - mean) ** k, 0) / n;
  const g = moment(3) / moment(2) ** 1.5 / Math.sqrt(n);
  const transformed = (x: number) => x + (g * x * x) / 3 + (g * g * x ** 3) / 27 + g / 6;
  const se = Math.sqrt(moment(2) / (n - 1));
  const [low, high] = meanInterval(values)!.ci!;
  // t of seven degrees of freedom: 2.364624.
  near(transformed((mean - low) / se), 2.364624, 1e-6);
  near(transformed((mean - high) / se), -2.364624, 1e-6);
});

test('where the transformation turns vertical it is held: one value of eight that is not 0', () => {
  // t of seven degrees of freedom is 2.364624; without a hold the upper bound is 7.5 standard errors away.
  const [low, high] = meanInterval([0, 0, 0, 0, 0, 0, 0, 8])!.ci!;
  assert.ok(high - 1 > 2.364624 && high - 1 < 6, `${high}`);
  assert.ok(1 - low < 2.364624);
});

test('an interval ends where the metric does', () => {
  assert.equal(meanInterval([0.8, 1], [0, 1])!.ci, [0, 1]);
  assert.is(meanInterval([0.8, 1], [0, null])!.ci![0], 0);
});

test('equal values: no point, but what as many draws would miss, within the range; none where it is open', () => {
  // 1 − 0.025^(1/8): Clopper and Pearson's upper bound for 0 of 8.
  const share = 0.36941664755281;
  const none = meanInterval(new Array<number>(8).fill(0), [0, 2])!;
  near(none.ci![0], 0);
  near(none.ci![1], 2 * share);
  near(meanInterval(new Array<number>(8).fill(1), [0, 1])!.ci![0], 1 - share);
  // Equal but for rounding: a third is not exact, nor are sums of it.
  const thirds = [1 / 3, 0.1 + 7 / 30, 1 - 2 / 3];
  near(meanInterval(thirds, [0, 1])!.ci![1], 1 / 3 + (2 / 3) * (1 - 0.025 ** (1 / 3)));
  for (const range of [undefined, [0, null]] as const) {
    assert.is(meanInterval([0.5, 0.5, 0.5], range)!.ci, null);
    assert.is(ratioInterval([2, 1], [1, 0.5], range)!.ci, null);
  }
  assert.is(ratioInterval([1, 1, 1, 1], [1, 1, 1, 1], [0, 1])!.ci![1], 1);
  near(ratioInterval([1, 1, 1, 1], [1, 1, 1, 1], [0, 1])!.ci![0], 0.025 ** (1 / 4));
});

test('nothing, one value, a denominator of zero', () => {
  assert.is(meanInterval([]), null);
  assert.equal(meanInterval([3]), { value: 3, ci: null, n: 1 });
  assert.equal(ratioInterval([3], [2]), { value: 1.5, ci: null, n: 1 });
  assert.is(ratioInterval([1], [0]), null);
  assert.is(ratioInterval([], []), null);
});

test('values that repeat within clusters: as wide as of the clusters, not of the values', () => {
  const clusterValues = [0, 1, 2, 4];
  const values = clusterValues.flatMap((value) => new Array<number>(50).fill(value));
  const clusters = clusterValues.flatMap((value) => new Array<number>(50).fill(value + 7));
  const { sums, counts } = byCluster(values, clusters);
  assert.equal(
    [sums, counts],
    [
      [0, 50, 100, 200],
      [50, 50, 50, 50],
    ],
  );
  const clustered = ratioInterval(sums, counts)!;
  const ofFour = meanInterval(clusterValues)!;
  assert.is(clustered.n, 4);
  assert.is(clustered.value, ofFour.value);
  assert.ok(clustered.ci![0] <= ofFour.ci![0] + 1e-12 && clustered.ci![1] >= ofFour.ci![1] - 1e-12);
  const naive = meanInterval(values)!;
  assert.ok(clustered.ci![1] - clustered.ci![0] > 3 * (naive.ci![1] - naive.ci![0]));
  assert.throws(() => byCluster([1, 2], [0]), /2 values with 1 cluster numbers/);
});

test('one cluster that weighs nearly all: few effective units, so a wide interval', () => {
  const even = ratioInterval([1, 2, 3, 4, 5], [1, 1, 1, 1, 1])!;
  const uneven = ratioInterval([100, 2, 3, 4, 5], [100, 1, 1, 1, 1])!;
  const width = ({ ci, value }: { ci: [number, number] | null; value: number }) => (ci![1] - ci![0]) / value;
  assert.ok(width(uneven) > width(even), `${width(uneven)} vs ${width(even)}`);
});

test('a second source of error: distances add in squares', () => {
  // t of two degrees of freedom: 4.302653.
  const { ci } = widenInterval({ value: 1, ci: [0.7, 1.4], n: 5 }, 0.01, 2);
  near(ci[0], 1 - Math.hypot(0.3, 0.4302653), 1e-6);
  near(ci[1], 1 + Math.hypot(0.4, 0.4302653), 1e-6);
  assert.equal(widenInterval({ value: 1, ci: null, n: 1 }, 0, 2).ci, [1, 1]);
  assert.is(widenInterval({ value: 0.9, ci: null, n: 1 }, 0.01, 2, [0, 1]).ci[1], 1);
});

test('samples of a ratio: their mean is the ratio, their difference that of two ratios over the same units', () => {
  const rng = createRng('samples');
  const bottoms = Array.from({ length: 100 }, () => 1 + rng.uniform());
  const [a, b] = [0.5, 0.8].map((level) => bottoms.map((bottom) => bottom * (level + 0.1 * rng.normal())));
  const samples = [ratioSamples(a!, bottoms), ratioSamples(b!, bottoms)];
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const both = ratioSamples(
    a!.map((value, i) => b![i]! - value),
    bottoms,
  );
  assert.is(both.length, 32);
  near(mean(samples[0]!), ratioInterval(a!, bottoms)!.value);
  for (const [i, value] of both.entries()) near(samples[1]![i]! - samples[0]![i]!, value);
  assert.equal(ratioSamples([1, 2], [0, 0]), []);
  assert.equal(ratioSamples([2, 4], [1, 1]), [2, 4]);
});

// A simulated coverage is off by up to three standard errors of the simulation.
const TRIALS = 1500;
const SLACK = 3 * simulationError(TRIALS);
const within = (share: number, least: number, what: string) =>
  assert.ok(share >= least - SLACK && share <= 0.97 + SLACK, `${what}: ${share}`);

test('coverage, normal data: 93 to 97 % from 5 values on', () => {
  for (const n of [5, 10, 20, 40]) within(coverageOfMean(NORMAL, n, TRIALS, createRng('normal').fork(n)), 0.93, `${n}`);
});

test('coverage, skewed and bounded data: at least 90 % of 5 and 10 values, 93 to 97 % from 20 on', () => {
  for (const population of SKEWED) {
    for (const n of [5, 10, 20, 40]) {
      const rng = createRng(population.name).fork(n);
      within(coverageOfMean(population, n, TRIALS, rng), n < 20 ? 0.9 : 0.93, `${population.name}, ${n}`);
    }
  }
});

test('coverage by cluster: documents of 4 to 40 values that share half of their variance', () => {
  for (const n of [5, 10, 20]) {
    within(coverageByCluster(NORMAL, n, TRIALS, createRng('by cluster').fork(n)), 0.93, `normal, ${n} documents`);
  }
  for (const n of [10, 20]) {
    within(
      coverageByCluster(SKEWED[0]!, n, TRIALS, createRng('by cluster').fork(n)),
      0.9,
      `exponential, ${n} documents`,
    );
  }
});

test('coverage, concepts that meet the same prompts: 93 to 97 % over both, far less over concepts alone', () => {
  for (const [concepts, prompts] of [
    [8, 3],
    [8, 5],
    [20, 10],
  ] as const) {
    for (const spread of [
      [1, 0, 1],
      [1, 0.3, 1],
      [1, 1, 1],
      [0.3, 1, 1],
    ] as const) {
      const crossed = { concepts, prompts, spread };
      const rng = () => createRng('crossed').fork(JSON.stringify(crossed));
      within(coverageOfCrossed(crossed, TRIALS, rng()), 0.93, JSON.stringify(crossed));
      const alone = coverageOfCrossed(crossed, TRIALS, rng(), false);
      if (spread[1] === 1) assert.ok(alone < 0.87, `${JSON.stringify(crossed)}, concepts alone: ${alone}`);
    }
  }
});

test('the committed table is the simulation’s: its first cells come out again', () => {
  const committed = readFileSync(new URL('./coverage.md', import.meta.url), 'utf8').split('\n');
  const rows = coverageTable([NORMAL], [2, 3]).split('\n');
  const first = (line: string) => line.split('|').slice(1, 4).join('|');
  assert.ok(
    committed.some((line) => first(line) === first(rows.at(-1)!)),
    `run npm run coverage: ${rows.at(-1)}`,
  );
});

test.run();
