/** @file Paired comparison by hand, its error rate by simulation, and Holm's correction. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import {
  benjaminiHochberg,
  detectableDifference,
  holm,
  pairedDifference,
  type Sampled,
  unpairedDifference,
} from './paired.ts';

const test = suite('paired');
const near = (actual: number, expected: number, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} vs ${expected}`);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const sampled = (seed: number, values: readonly number[], shared?: number[]): Sampled => ({
  seed,
  value: mean(values),
  units: new Map(values.map((value, i) => [`u${i}`, value])),
  ...(shared ? { shared } : {}),
});

test('one seed: the paired t test of R on the same numbers', () => {
  const [a, b] = [
    [0.9, 0.8, 0.95, 0.7, 0.85],
    [0.88, 0.75, 0.9, 0.72, 0.8],
  ];
  // Differences .02 .05 .05 −.02 .05: mean .03, sd .0308221, t = 2.176429 with 4 degrees of freedom.
  const { value, p } = pairedDifference([sampled(0, a!)], [sampled(0, b!)])!;
  near(value, 0.03);
  near(p, 0.0951, 1e-3);
  near(pairedDifference([sampled(0, b!)], [sampled(0, a!)])!.p, p);
});

test('what differs a little everywhere is told apart, however wide each interval is by itself', () => {
  const rng = createRng('wide');
  const a = Array.from({ length: 16 }, () => 0.5 + 0.3 * rng.normal());
  const b = a.map((value) => value - 0.02 + 0.002 * rng.normal());
  assert.ok(pairedDifference([sampled(0, a)], [sampled(0, b)])!.p < 1e-6);
  const noisy = a.map(() => 0.5 + 0.3 * rng.normal());
  assert.ok(pairedDifference([sampled(0, a)], [sampled(0, noisy)])!.p > 0.05);
});

test('seeds are paired by number, a method fitted once stands beside each', () => {
  const a = [sampled(0, [1, 2, 3]), sampled(1, [2, 3, 4])];
  near(pairedDifference(a, [sampled(1, [1, 2, 3]), sampled(0, [0, 1, 2])])!.value, 1);
  near(pairedDifference(a, [sampled(0, [1, 2, 3])])!.value, 0.5);
  assert.is(pairedDifference(a, [sampled(5, [0, 0, 0]), sampled(6, [0, 0, 0])]), null, 'no common seed');
});

test('common units alone are compared; without units, seeds; without either, nothing', () => {
  const some: Sampled = {
    seed: 0,
    value: 0.5,
    units: new Map([
      ['u0', 0],
      ['u2', 1],
      ['x', 9],
    ]),
  };
  near(pairedDifference([sampled(0, [1, 7, 3])], [some])!.value, 1.5);
  const bare = (seed: number, value: number): Sampled => ({ seed, value });
  near(pairedDifference([bare(0, 1), bare(1, 1.2)], [bare(0, 0.5), bare(1, 0.8)])!.value, 0.45);
  assert.is(pairedDifference([bare(0, 1)], [bare(0, 2)]), null);
});

test('the same numbers are not told apart; of a constant difference as many units tell as a sign test needs', () => {
  assert.equal(pairedDifference([sampled(0, [1, 2])], [sampled(0, [1, 2])]), { value: 0, p: 1, parts: [] });
  assert.equal(pairedDifference([sampled(0, [1, 2])], [sampled(0, [0, 1])]), { value: 1, p: 0.5, parts: [] });
  const many = Array.from({ length: 8 }, (_, i) => i);
  assert.is(
    pairedDifference(
      [sampled(0, many)],
      [
        sampled(
          0,
          many.map((value) => value - 1),
        ),
      ],
    )!.p,
    2 ** -7,
  );
});

const crossed = (seed: number, cells: readonly (readonly number[])[]): Sampled => {
  const values = cells.map(mean);
  const influences = cells.map((row, c) => row.map((value) => (value - values[c]!) / row.length));
  return { ...sampled(seed, values), sharedBy: new Map(influences.map((row, i) => [`u${i}`, row])) };
};

test('units that meet the same items: at most 5 % of equal methods are told apart, which without the items are many', () => {
  const [trials, units, items] = [800, 8, 5];
  let [both, alone] = [0, 0];
  for (let trial = 0; trial < trials; trial++) {
    const rng = createRng('crossed').fork(trial);
    const method = (): Sampled => {
      const ofItem = Array.from({ length: items }, rng.normal);
      return crossed(
        0,
        Array.from({ length: units }, () => {
          const ofUnit = rng.normal();
          return ofItem.map((value) => value + ofUnit + rng.normal());
        }),
      );
    };
    const [a, b] = [method(), method()];
    if (pairedDifference([a], [b])!.p < 0.05) both++;
    const bare = ({ sharedBy: _, ...rest }: Sampled): Sampled => rest;
    if (pairedDifference([bare(a)], [bare(b)])!.p < 0.05) alone++;
  }
  assert.ok(both / trials < 0.05 + 3 * Math.sqrt((0.05 * 0.95) / trials), `${both / trials}`);
  assert.ok(alone / trials > 0.1, `${alone / trials}`);
});

test('the detectable difference is found in 80 % of the cases', () => {
  const [trials, units] = [800, 12];
  const rng = createRng('power');
  const error = { se: 1 / Math.sqrt(units), df: units - 1 };
  const difference = detectableDifference(error, 0.05);
  // t of eleven degrees of freedom: 2.200985 and 0.875530.
  near(difference, (2.200985 + 0.87553) / Math.sqrt(units), 1e-5);
  let found = 0;
  for (let trial = 0; trial < trials; trial++) {
    const a = Array.from({ length: units }, () => difference + rng.normal());
    if (
      pairedDifference(
        [sampled(0, a)],
        [
          sampled(
            0,
            a.map(() => 0),
          ),
        ],
      )!.p < 0.05
    )
      found++;
  }
  assert.ok(Math.abs(found / trials - 0.8) < 0.05, `${found / trials}`);
});

test('items that units share: their error counts too', () => {
  const [a, b] = [
    [0.9, 0.8],
    [0.85, 0.751],
  ];
  const alone = pairedDifference([sampled(0, a!)], [sampled(0, b!)])!.p;
  const shared = pairedDifference([sampled(0, a!, [0.1, -0.1])], [sampled(0, b!, [-0.1, 0.1])])!.p;
  assert.ok(alone < 0.05 && shared > 0.5, `${alone} ${shared}`);
  // Other numbers of blocks are other items: each side errs by itself, 0.02 · 2 / 1 and 0.02 · 3 / 2.
  const { parts, p } = pairedDifference([sampled(0, a!, [0.1, -0.1])], [sampled(0, b!, [0.1, 0, -0.1])])!;
  assert.equal(
    parts.slice(1).map(({ variance, df }) => [Number(variance.toFixed(12)), df]),
    [
      [0.04, 1],
      [0.03, 2],
    ],
  );
  assert.ok(p > alone && p < 1);
  const crossed = (values: readonly number[], blocks: readonly number[]) => ({
    ...sampled(0, values),
    sharedBy: new Map(values.map((_, i) => [`u${i}`, blocks])),
  });
  const other = unpairedDifference([crossed(a!, [0.1, -0.1])], [crossed(b!, [0.1, 0, -0.1])])!;
  assert.is(other.parts.length, 3);
  assert.ok(other.parts.every(({ variance, df }) => variance > 0 && df > 0));
});

test('methods that do not differ: at most 5 % of pairs are told apart', () => {
  const [trials, units, seeds] = [1500, 16, 3];
  for (const [ofUnit, ofSeed, ofBoth] of [
    [1, 0, 0.5],
    [1, 0.2, 0.3],
    [0, 1, 0.2],
  ] as const) {
    let apart = 0;
    for (let trial = 0; trial < trials; trial++) {
      const rng = createRng(`null ${ofSeed}`).fork(trial);
      const common = Array.from({ length: units }, rng.normal);
      const method = (): Sampled[] => {
        const own = common.map((value) => value + ofUnit * rng.normal());
        return Array.from({ length: seeds }, (_, seed) => {
          const all = ofSeed * rng.normal();
          return sampled(
            seed,
            own.map((value) => value + all + ofBoth * rng.normal()),
          );
        });
      };
      if (pairedDifference(method(), method())!.p < 0.05) apart++;
    }
    const error = Math.sqrt((0.05 * 0.95) / trials);
    assert.ok(apart / trials < 0.05 + 3 * error, `${ofUnit} ${ofSeed} ${ofBoth}: ${apart / trials}`);
  }
});

test('Holm by hand: step down, never falling, at most 1', () => {
  const corrected = holm([0.01, 0.04, 0.03, 0.9]);
  [0.04, 0.09, 0.09, 0.9].forEach((expected, i) => {
    near(corrected[i]!, expected, 1e-12);
  });
  assert.equal(holm([]), []);
  assert.equal(holm([0.6, 0.7]), [1, 1]);
});

test('seeds that have nothing in common: the t test of R with equal variances; units still in pairs', () => {
  const bare = (values: readonly number[]) => values.map((value, seed): Sampled => ({ seed, value }));
  // t.test(c(1, 2, 3), c(2, 4, 6), var.equal = TRUE): t = -1.5492, df = 4, p = 0.1963.
  const { value, p, error, parts } = unpairedDifference(bare([1, 2, 3]), bare([2, 4, 6]))!;
  near(value, -2);
  near(p, 0.1963, 1e-4);
  near(error!.se, Math.sqrt(5 / 3));
  assert.is(parts.length, 1);
  const one = unpairedDifference([sampled(0, [1, 2, 4])], [sampled(5, [0, 2, 1])])!;
  assert.equal(
    one.parts.map(({ df }) => df),
    [2],
    'one seed each: units alone',
  );
  near(one.value, 4 / 3);
  assert.is(unpairedDifference(bare([1]), bare([2])), null);
  // Two seeds against two, all equal within: one arrangement of six on each side shows it.
  near(unpairedDifference(bare([1, 1]), bare([2, 2]))!.p, 2 / 6);
});

test('Benjamini and Hochberg: R’s p.adjust, in the given order', () => {
  const corrected = benjaminiHochberg([0.04, 0.01, 0.5, 0.03]);
  for (const [i, expected] of [0.16 / 3, 0.04, 0.5, 0.16 / 3].entries()) near(corrected[i]!, expected);
  assert.equal(benjaminiHochberg([]), []);
});

test.run();
