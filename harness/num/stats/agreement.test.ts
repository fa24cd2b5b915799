/** @file Agreement of two ratings: cases by hand, Cohen's tables, and that sums of parts are those of the whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { agreementOf, joinedSums, pairedSums, type RatedPair, rankCorrelation } from './agreement.ts';

const test = suite('num/stats/agreement');
const near = (found: number | undefined, expected: number, slack = 1e-12) =>
  assert.ok(Math.abs(found! - expected) <= slack, `${found} for ${expected}`);

/** Cohen 1968 by its definition: observed over expected disagreement, weighted by squared distance. */
function cohen(pairs: readonly RatedPair[]): number {
  const n = pairs.length;
  let [observed, expected] = [0, 0];
  for (const a of pairs) {
    observed += (a.x - a.y) ** 2 / n;
    for (const b of pairs) expected += (a.x - b.y) ** 2 / (n * n);
  }
  return 1 - observed / expected;
}

function drawn(n: number, units: number, seed: number): RatedPair[] {
  const rng = createRng(seed);
  return Array.from({ length: n }, (_, i) => {
    const x = rng.int(3);
    return { unit: `c${i % units}`, x, y: rng.uniform() < 0.6 ? x : rng.int(3) };
  });
}

test('equal ratings agree, opposite ones do the contrary, one grade too many is a difference', () => {
  const of = (list: [number, number][]) =>
    agreementOf(pairedSums(list.map(([x, y], i) => ({ unit: `${i % 2}`, x, y }))), 2);
  const same = of([
    [0, 0],
    [1, 1],
    [2, 2],
    [0, 0],
  ]);
  assert.equal([same.texts, same.kappa!.value, same.difference!.value], [4, 1, 0]);
  assert.ok(same.kappa!.ci![0] < 1 && same.kappa!.ci![1] === 1, 'two units do not show that there is no error');
  assert.is(
    of([
      [0, 2],
      [2, 0],
      [0, 2],
      [2, 0],
    ]).kappa!.value,
    -1,
  );
  near(
    of([
      [0, 1],
      [1, 2],
      [0, 1],
      [1, 2],
    ]).difference!.value,
    -1,
  );
  assert.is(
    of([
      [1, 1],
      [1, 1],
    ]).kappa,
    null,
  );
  assert.equal(agreementOf(pairedSums([]), 2), { texts: 0, kappa: null, difference: null });
  assert.is(
    agreementOf(
      pairedSums([
        { unit: 'a', x: 0, y: 1 },
        { unit: 'a', x: 2, y: 2 },
      ]),
      2,
    ).kappa!.ci,
    null,
    'one unit',
  );
});

test('kappa is that of its definition, and of parts as of the whole', () => {
  const pairs = drawn(90, 6, 1);
  const whole = agreementOf(pairedSums(pairs), 2);
  near(whole.kappa!.value, cohen(pairs));
  const parts = joinedSums([pairedSums(pairs.slice(0, 31)), pairedSums(pairs.slice(31)), pairedSums([])]);
  const joined = agreementOf(parts, 2);
  near(joined.kappa!.value, whole.kappa!.value);
  near(joined.kappa!.ci![0], whole.kappa!.ci![0]);
  near(joined.difference!.ci![1], whole.difference!.ci![1]);
});

test('the interval of the mean difference of equal units is that of their means', () => {
  const pairs = [0.5, 1, 0, 1.5].flatMap((shift, i) =>
    [0, 1].map((x): RatedPair => ({ unit: `${i}`, x: x + shift, y: x })),
  );
  const { value, ci } = agreementOf(pairedSums(pairs), 2).difference!;
  near(value, 0.75);
  // Student's t of four values with standard deviation 0.6455, which are symmetric: 3.1824 · 0.6455 ÷ 2.
  near(ci![1] - value, 1.02717, 1e-4);
});

test('intervals cover what they should', () => {
  let covered = 0;
  const runs = 200;
  const truth = agreementOf(pairedSums(drawn(200_000, 8, 99)), 2).kappa!.value;
  for (let seed = 0; seed < runs; seed++) {
    const [low, high] = agreementOf(pairedSums(drawn(80, 8, seed)), 2).kappa!.ci!;
    if (low <= truth && truth <= high) covered++;
  }
  assert.ok(covered / runs > 0.9 && covered / runs < 0.99, `${covered} of ${runs}`);
});

test('rank correlation with ties', () => {
  const of = (x: number[], y: number[]) => rankCorrelation(x.map((value, i) => ({ unit: `${i}`, x: value, y: y[i]! })));
  near(of([0, 1, 2], [0, 0.1, 5])!.value, 1);
  near(of([0, 1, 2], [3, 2, 1])!.value, -1);
  // Ranks 1.5 1.5 3 4.5 4.5 and 3 1 3 5 3, whose correlation by numpy.corrcoef is this.
  near(of([0, 0, 1, 2, 2], [1, 0, 1, 2, 1])!.value, Math.SQRT1_2);
  assert.is(of([1, 1, 1], [0, 1, 2]), null);
  assert.is(of([], []), null);
});

test.run();
