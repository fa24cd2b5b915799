/** @file Influences are the derivatives by items' weights, and the shared variance is what a simulation finds. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { meanInterval, widenInterval } from '../stats/interval.ts';
import { byGroup, sharedVariance } from '../stats/shared-items.ts';
import { aurocInfluence, averagePrecisionInfluence, f1Influence, type Influence } from './influence.ts';
import { averagePrecision } from './precision-recall.ts';
import { auroc } from './roc.ts';
import { f1AtPrior, shareAbove } from './threshold.ts';

const test = suite('influence');
const THRESHOLD = 1.2;
const PRIOR = 0.2;

type Scores = (positives: Float64Array, negatives: Float64Array) => number;
const labelled = (positives: Float64Array, negatives: Float64Array) =>
  [
    [...positives, ...negatives],
    [...positives.map(() => 1), ...negatives.map(() => 0)],
  ] as const;
const METRICS: [string, Scores, (positives: Float64Array, negatives: Float64Array) => Influence][] = [
  ['auroc', (p, n) => auroc(...labelled(p, n))!, aurocInfluence],
  ['average precision', (p, n) => averagePrecision(...labelled(p, n))!, averagePrecisionInfluence],
  [
    'F1',
    (p, n) => f1AtPrior(shareAbove(p, THRESHOLD), shareAbove(n, THRESHOLD), PRIOR),
    (p, n) => f1Influence(p, n, THRESHOLD, PRIOR),
  ],
];

/** Scores with ties. */
const draw = (n: number, shift: number, seed: string) => {
  const rng = createRng(seed);
  return Float64Array.from({ length: n }, () => Math.round(4 * (shift + rng.normal())) / 4);
};

test('each influence is the change of the metric for a little more of the item, about the mean of its class', () => {
  const [positives, negatives] = [draw(9, 1, 'positives'), draw(14, 0, 'negatives')];
  // An item counted `copies` + 1 times among items counted `copies` times: its weight rises by 1 ÷ copies.
  const copies = 4000;
  const repeated = (scores: Float64Array, extra?: number) =>
    Float64Array.from([...scores].flatMap((score, i) => new Array<number>(copies + (i === extra ? 1 : 0)).fill(score)));
  for (const [name, metric, influence] of METRICS) {
    const { positives: ofPositives, negatives: ofNegatives } = influence(positives, negatives);
    const base = metric(repeated(positives), repeated(negatives));
    const [first, second] = [0, 5];
    const change = (item: number) => copies * (metric(repeated(positives, item), repeated(negatives)) - base);
    const scale = Math.sqrt(positives.length / (positives.length - 1));
    const slope = ofPositives[first]! - ofPositives[second]!;
    assert.ok(Math.abs(slope - scale * (change(first) - change(second))) < 1e-4, `${name}: ${slope}`);
    const sum = [...ofPositives, ...ofNegatives].reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum) < 1e-12, name);
  }
});

test('their squares sum to the variance over draws of items', () => {
  for (const [name, metric, influence] of METRICS) {
    const [trials, P, N] = [2000, 30, 40];
    const values: number[] = [];
    let predicted = 0;
    for (let trial = 0; trial < trials; trial++) {
      const [positives, negatives] = [draw(P, 1, `p${trial}`), draw(N, 0, `n${trial}`)];
      values.push(metric(positives, negatives));
      const { positives: a, negatives: b } = influence(positives, negatives);
      predicted += [...a, ...b].reduce((sum, value) => sum + value ** 2, 0) / trials;
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / trials;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (trials - 1);
    // Three standard errors of a simulated variance, and 8 % for what a derivative leaves out.
    assert.ok(
      Math.abs(predicted / variance - 1) < 3 * Math.sqrt(2 / trials) + 0.08,
      `${name}: ${predicted / variance}`,
    );
  }
});

test('two classes of the same items are one thing measured once: the mean has the error of either', () => {
  const [positives, negatives] = [draw(40, 1, 'a'), draw(50, 0, 'b')];
  const one = aurocInfluence(positives, negatives);
  const minus = (scores: Float64Array) => scores.map((score) => -score);
  const other = aurocInfluence(minus(negatives), minus(positives));
  const items = Array.from({ length: 90 }, (_, i) => i);
  const turned = [...items.slice(40), ...items.slice(0, 40)];
  const listed = (influence: Influence, places: number[]) => ({
    items: places,
    values: [...influence.positives, ...influence.negatives],
  });
  const variance = listed(one, items).values.reduce((sum, value) => sum + value ** 2, 0);
  assert.ok(Math.abs(sharedVariance([listed(one, items), listed(other, turned)], 90) - variance) < 1e-15);
  const apart = items.map((item) => item + 90);
  assert.is(sharedVariance([listed(one, items), listed(one, apart)], 180), 0, 'items of their own');
  assert.is(sharedVariance([listed(one, items)], 90), 0, 'one concept');
});

test('items of one group hang together: concepts whose items differ share the error of the groups', () => {
  // Ten patients; what a patient adds is in both concepts, on images of their own.
  const [patients, images] = [10, 4];
  const rng = createRng('patients');
  const ofPatient = Array.from({ length: patients }, () => rng.normal());
  const mean = ofPatient.reduce((sum, value) => sum + value / patients, 0);
  const places = Array.from({ length: patients * images }, (_, i) => i);
  const values = places.map((i) => (ofPatient[i % patients]! - mean) / places.length);
  const scores = [0, 1].map((c) => ({ items: places.map((i) => i + c * places.length), values }));
  const groups = Array.from({ length: 2 * places.length }, (_, i) => i % patients);
  assert.is(sharedVariance(scores, groups.length), 0, 'no item is shared');
  const expected = ofPatient.reduce((sum, value) => sum + ((value - mean) / patients) ** 2, 0);
  assert.ok(Math.abs(sharedVariance(byGroup(scores, groups), patients) - expected) < 1e-12);
});

test('two classes of the same items: the interval covers, which the spread between two concepts does not', () => {
  // Classes whose scores lie 1 apart, by two detectors that differ little: AUROC Φ(1 / √2).
  const [trials, perClass, truth] = [600, 30, 0.7602499389065233];
  const rng = createRng('two classes');
  let [both, alone] = [0, 0];
  const covers = (ci: [number, number] | null) => (ci![0] <= truth && truth <= ci![1] ? 1 : 0);
  const items = Array.from({ length: 2 * perClass }, (_, i) => i);
  const turned = [...items.slice(perClass), ...items.slice(0, perClass)];
  for (let trial = 0; trial < trials; trial++) {
    const clear = items.map((item) => (item < perClass ? 1 : 0) + 0.95 * rng.normal());
    const detected = (places: number[], sign: number) =>
      Float64Array.from(places, (item) => sign * (clear[item]! + Math.sqrt(1 - 0.95 ** 2) * rng.normal()));
    const scored = [detected(items, 1), detected(turned, -1)].map((scores, c) => {
      const [p, n] = [scores.slice(0, perClass), scores.slice(perClass)];
      const { positives, negatives } = aurocInfluence(p, n);
      return { auroc: auroc(...labelled(p, n))!, items: [items, turned][c]!, values: [...positives, ...negatives] };
    });
    const estimate = meanInterval(
      scored.map((each) => each.auroc),
      [0, 1],
    )!;
    alone += covers(estimate.ci);
    both += covers(widenInterval(estimate, sharedVariance(scored, items.length), items.length - 1).ci);
  }
  const error = Math.sqrt((0.95 * 0.05) / trials);
  assert.ok(both / trials > 0.93 - 3 * error, `${both} of ${trials}`);
  assert.ok(alone < 0.9 * trials, `${alone} of ${trials}`);
});

test.run();
