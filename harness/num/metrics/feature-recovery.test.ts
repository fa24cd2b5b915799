/** @file Matching and firing of features: by hand, and as SAELens' SynthSAEBench computes them. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../backend.ts';
import { csrFromDense } from '../csr.ts';
import { createRng } from '../rng.ts';
import { absorption, detection, firingOf, latentDetection, SPLIT, splitFeatures } from './feature-firing.ts';
import { absoluteCosines, matchFeatures, mixtures, uniqueness } from './feature-match.ts';

const test = suite('feature recovery');
test.before(async () => {
  await initBackend('auto');
});

interface GoldenRecovery {
  latents: number;
  features: number;
  d: number;
  rows: number;
  found: number[];
  truth: number[];
  codes: number[];
  active: number[];
  mcc: number;
  uniqueness: number;
  precision: number;
  recall: number;
  f1: number;
}
const { recovery } = JSON.parse(readFileSync(new URL('../testdata/recovery.golden.json', import.meta.url), 'utf8')) as {
  recovery: GoldenRecovery[];
};

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const csr = (rows: number[][]) => csrFromDense(Float32Array.from(rows.flat()), rows.length, rows[0]!.length);

test('MCC, uniqueness, precision, recall and F1 as SAELens has them', () => {
  for (const golden of recovery) {
    const { latents, features, d, rows } = golden;
    const cosines = absoluteCosines(Float32Array.from(golden.found), Float32Array.from(golden.truth), d);
    const match = matchFeatures(cosines, latents, features);
    const pairs = match.matchedCosine.filter((_, feature) => match.matched[feature]! >= 0);
    assert.is(pairs.length, Math.min(latents, features));
    assert.ok(Math.abs(mean(pairs) - golden.mcc) < 1e-6);
    assert.ok(Math.abs(uniqueness(match) - golden.uniqueness) < 1e-12);
    const firing = firingOf(
      csrFromDense(Float32Array.from(golden.codes), rows, latents),
      csrFromDense(Float32Array.from(golden.active), rows, features),
    );
    const found = Array.from(match.nearestFeature, (feature, latent) => latentDetection(firing, latent, feature));
    for (const name of ['precision', 'recall', 'f1'] as const) {
      assert.ok(Math.abs(mean(found.map((each) => each[name])) - golden[name]) < 1e-6, name);
    }
  }
});

test('by hand: one to one, many to one, mixtures', () => {
  // Latents: e₁, −e₁ a little off, and the sum of e₂ and e₃.
  const found = Float32Array.of(1, 0, 0, -4, 3, 0, 0, 1, 1);
  const truth = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const cosines = absoluteCosines(found, truth, 3);
  const near = (a: ArrayLike<number>, b: number[]) => assert.ok(b.every((value, i) => Math.abs(a[i]! - value) < 1e-6));
  near(cosines, [1, 0, 0, 0.8, 0.6, 0, 0, Math.SQRT1_2, Math.SQRT1_2]);
  const match = matchFeatures(cosines, 3, 3);
  assert.equal([...match.matched], [0, 1, 2]);
  near(match.matchedCosine, [1, 0.6, Math.SQRT1_2]);
  assert.equal([...match.nearestLatent], [0, 2, 2]);
  assert.equal([...match.nearestFeature], [0, 0, 1]);
  near(match.secondCosine, [0, 0.6, Math.SQRT1_2]);
  assert.ok(Math.abs(uniqueness(match) - 2 / 3) < 1e-12);
  assert.equal([...mixtures(match)], [0, 1, 1]);
});

test('signs, lengths and the order of latents change nothing; a zero row matches with 0', () => {
  const rng = createRng(2);
  const found = rng.fillNormal(new Float32Array(6 * 4));
  const truth = rng.fillNormal(new Float32Array(5 * 4));
  const cosines = absoluteCosines(found, truth, 4);
  const other = absoluteCosines(
    found.map((value, at) => (Math.floor(at / 4) % 2 ? -3 : 0.5) * value),
    truth,
    4,
  );
  for (let at = 0; at < cosines.length; at++) assert.ok(Math.abs(cosines[at]! - other[at]!) < 1e-5);
  const ofZero = absoluteCosines(new Float32Array(4), truth, 4);
  assert.equal([...ofZero], [0, 0, 0, 0, 0]);
  assert.equal([...mixtures(matchFeatures(ofZero, 1, 5))], [0], 'and is no mixture');
});

test('detection by hand; nothing fired or nothing active is 0', () => {
  assert.equal(detection(3, 4, 6), { precision: 0.75, recall: 0.5, f1: 0.6 });
  assert.equal(detection(0, 0, 5), { precision: 0, recall: 0, f1: 0 });
  assert.equal(detection(0, 3, 0), { precision: 0, recall: 0, f1: 0 });
});

test('a feature is split where a second latent adds what the first lacks', () => {
  // Feature 0 on rows 0…3: latent 0 fires on two of them, latent 1 on the others. Feature 1 is latent 2's alone.
  const truth = csr([
    [1, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 1, 0],
  ]);
  const codes = csr([
    [1, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 1, 0],
    [0, 0, 1],
    [0, 0, 1],
  ]);
  const split = splitFeatures(codes, firingOf(codes, truth));
  assert.equal([...split].slice(0, 2), [1, 0]);
  assert.ok(Number.isNaN(split[2]!), 'a feature that no row has');
});

test('splitting as by trying every second latent with sets of rows', () => {
  for (let seed = 0; seed < 60; seed++) {
    const rng = createRng(seed);
    // Few enough latents for all to be tried.
    const [rows, latents, features] = [1 + rng.int(30), 1 + rng.int(9), 1 + rng.int(4)];
    const random = (width: number) => {
      const often = rng.uniform();
      return Array.from({ length: rows }, () => Array.from({ length: width }, () => (rng.uniform() < often ? 1 : 0)));
    };
    const [truth, codes] = [random(features), random(latents)];
    const firing = firingOf(csr(codes), csr(truth));
    const f1Of = (feature: number, chosen: number[]) => {
      const fires = codes.map((row) => chosen.some((latent) => row[latent] === 1));
      const hits = fires.filter((fire, row) => fire && truth[row]![feature] === 1).length;
      const active = truth.filter((row) => row[feature] === 1).length;
      return detection(hits, fires.filter(Boolean).length, active).f1;
    };
    const expected = Array.from({ length: features }, (_, feature) => {
      if (truth.every((row) => row[feature] === 0)) return Number.NaN;
      const alone = Array.from({ length: latents }, (_, latent) => f1Of(feature, [latent]));
      const best = alone.indexOf(Math.max(...alone));
      return alone.some((f1, other) => f1 > 0 && f1Of(feature, [best, other]) > alone[best]! + SPLIT) ? 1 : 0;
    });
    assert.equal([...splitFeatures(csr(codes), firing)], expected, `seed ${seed}`);
  }
});

test('absorption by hand: the parent’s latent is silent where the child’s fires', () => {
  // Feature 0 the parent of 1. Ten rows with both, ten of the parent alone; latent 0 the parent's, latent 1 the child's.
  const both = Array.from({ length: 10 }, () => [1, 1]);
  const alone = Array.from({ length: 10 }, () => [1, 0]);
  const truth = csr([...both, ...alone]);
  const parents = Int32Array.of(-1, 0);
  const of = (codes: number[][], latentOf = [0, 1]) => absorption(firingOf(csr(codes), truth), latentOf, parents);
  const never = of([...both, ...alone]);
  assert.ok(Number.isNaN(never[0]!));
  assert.is(never[1], 0);
  assert.is(of([...both.map(() => [0, 1]), ...alone])[1], 1);
  // Silent on half of the one and a tenth of the other.
  const some = of([...both.map((_, i) => [i < 5 ? 0 : 1, 1]), ...alone.map((_, i) => [i < 1 ? 0 : 1, 0])]);
  assert.ok(Math.abs(some[1]! - 0.4) < 1e-12);
  assert.ok(Number.isNaN(of([...both, ...alone], [0, 0])[1]!), 'one latent for both');
  assert.ok(Number.isNaN(of([...both, ...alone], [0, -1])[1]!), 'no latent for the child');
  const silent = of([...both.map((_, i) => [1, i < 9 ? 1 : 0]), ...alone]);
  assert.ok(Number.isNaN(silent[1]!), 'nine rows are too few');
});

test('codes and features must have the same rows', () => {
  assert.throws(() => firingOf(csr([[1], [1]]), csr([[1]])), /2 rows of codes, 1 of features/);
});

test.run();
