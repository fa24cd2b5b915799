/** @file Ranking metrics against scikit-learn (testdata/metrics.py), by hand, and sparse against dense. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { csrFromDense } from '../csr.ts';
import { createRng } from '../rng.ts';
import { latentAuroc } from './latent-auroc.ts';
import { averagePrecision, prCurve } from './precision-recall.ts';
import { argsort, auroc, averageRoc, rocCurve } from './roc.ts';
import { bestCut, bestF1Threshold, f1AtPrior, fBeta, shareAbove } from './threshold.ts';

interface Case {
  scores: number[];
  labels: number[];
  auroc: number;
  averagePrecision: number;
  bestF1: number;
  fpr: number[];
  tpr: number[];
}

const test = suite('ranking');
const golden: { ranking: Case[] } = JSON.parse(
  readFileSync(new URL('../testdata/metrics.golden.json', import.meta.url), 'utf8'),
);

golden.ranking.forEach(({ scores, labels, ...expected }, i) => {
  test(`equals scikit-learn on case ${i} (${scores.length} items)`, () => {
    const ap = averagePrecision(scores, labels)!;
    const positives = labels.reduce((sum, label) => sum + label, 0);
    const prior = positives / labels.length;
    const threshold = bestF1Threshold(scores, labels, [positives, labels.length]);
    const [hits, alarms] = [1, 0].map((label) =>
      shareAbove(
        scores.filter((_, k) => labels[k] === label),
        threshold,
      ),
    );
    allclose(
      [auroc(scores, labels)!, ap, f1AtPrior(hits!, alarms!, prior)],
      [expected.auroc, expected.averagePrecision, expected.bestF1],
      { rtol: 1e-12 },
    );
    const curve = rocCurve(scores, labels)!;
    allclose(curve.fpr, expected.fpr, { rtol: 1e-12 });
    allclose(curve.tpr, expected.tpr, { rtol: 1e-12 });
  });
});

test('auroc by hand: one tie, reversed, all equal, one class', () => {
  assert.is(auroc([1, 2, 2, 3], [0, 0, 1, 1]), 3.5 / 4);
  assert.is(auroc([3, 2, 1], [0, 0, 1]), 0);
  assert.is(auroc([1, 1, 1, 1], [0, 1, 0, 1]), 0.5);
  assert.is(auroc([1, 2], [1, 1]), null);
  assert.is(auroc([], []), null);
  assert.throws(() => auroc([1], []), /1 scores with 0 labels/);
});

test('a metric that is undefined is null, never a number', () => {
  assert.is(rocCurve([1, 2], [1, 1]), null);
  for (const metric of [averagePrecision, prCurve]) assert.is(metric([1, 2], [0, 0]), null);
});

test('the F1 threshold lies between the last accepted and the first rejected score', () => {
  assert.is(bestF1Threshold([0, 1, 4, 5], [0, 0, 1, 1], [1, 2]), 2.5);
  assert.is(bestF1Threshold([2, 2], [1, 0], [1, 2]), 2);
  // Of 100 negatives for each positive the middle one would make 50 false alarms: half of the positives is better.
  assert.is(bestF1Threshold([1, 3, 2, 0], [1, 1, 0, 0], [1, 100]), 2.5);
  assert.is(f1AtPrior(0, 0, 0.5), 0);
  assert.ok(Math.abs(f1AtPrior(0.75, 0.25, 0.01) - (2 * 0.0075) / (0.0075 + 0.2475 + 0.01)) < 1e-15);
});

test('the highest of the thresholds of exactly equal F1, which rounding would part', () => {
  // At 1 %, 4 of 36 positives and no negative, and 15 of 36 with one of 36 negatives, both have an F1 of 0.2.
  const scores = [...Array(4).fill(9), ...Array(12).fill(5), ...Array(56).fill(0)];
  const labels = [...Array(15).fill(1), 0, ...Array(21).fill(1), ...Array(35).fill(0)];
  assert.is(bestF1Threshold(scores, labels, [1, 100]), 7);
  // Whatever the numbers: no cut above the chosen one is as good, in whole numbers.
  const rng = createRng('ties');
  for (let trial = 0; trial < 200; trial++) {
    const n = 6 + rng.int(30);
    const drawn = Array.from({ length: n }, () => rng.int(5));
    const classes = drawn.map((_, i) => (i < 2 ? i : rng.int(2)));
    const [part, whole] = [1 + rng.int(5), 10 + rng.int(1000)];
    const count = (least: number, label: number) =>
      drawn.filter((score, i) => score >= least && classes[i] === label).length;
    const [P, N] = [count(0, 1), count(0, 0)];
    // F1 is 2x ÷ (1 + x); here x ÷ π as a fraction.
    const cuts = [...new Set(drawn)].sort((a, b) => b - a);
    const fraction = (cut: number) => [count(cut, 1) * N, ((whole - part) * count(cut, 0) + part * N) * P] as const;
    const best = cuts.reduce((top, cut) => {
      const [[a, b], [c, d]] = [fraction(cut), fraction(top)];
      return BigInt(a) * BigInt(d) > BigInt(c) * BigInt(b) ? cut : top;
    });
    const next = cuts[cuts.indexOf(best) + 1];
    assert.is(bestF1Threshold(drawn, classes, [part, whole]), next === undefined ? best : (best + next) / 2);
  }
});

test('vertical average of ROC curves interpolates and starts at 0', () => {
  const perfect = rocCurve([0, 1], [0, 1])!;
  const chance = rocCurve([1, 1], [0, 1])!;
  const average = averageRoc([perfect, chance], 5);
  allclose(average.fpr, [0, 0.25, 0.5, 0.75, 1]);
  allclose(average.tpr, [0, 0.625, 0.75, 0.875, 1]);
});

test('AUROC of every latent equals brute force: ties, negatives, ignored items, many concepts', () => {
  const rng = createRng('latents');
  const [n, d] = [40, 25];
  const dense = Float32Array.from({ length: n * d }, (_, i) => (rng.uniform() < (i % d) / d ? rng.int(7) - 3 : 0));
  const concepts = Array.from({ length: 6 }, (_, c) =>
    Int8Array.from({ length: n }, () => (c === 4 ? 1 : rng.uniform() < 0.3 ? 1 : rng.uniform() < 0.2 ? -1 : 0)),
  );
  const result = latentAuroc(csrFromDense(dense, n, d), concepts);
  concepts.forEach((labels, c) => {
    const kept = [...labels.keys()].filter((i) => labels[i] !== -1);
    for (let f = 0; f < d; f++) {
      const expected = auroc(
        kept.map((i) => dense[i * d + f]!),
        kept.map((i) => labels[i]!),
      );
      assert.ok(Object.is(result[c]![f], expected ?? Number.NaN), `concept ${c}, latent ${f}: ${result[c]![f]}`);
    }
  });
  assert.throws(() => latentAuroc(csrFromDense(dense, n, d), [new Int8Array(3)]), /3 labels for 40 items/);
});

test('argsort keeps the order of equal values', () => {
  assert.equal([...argsort([2, 1, 2, 0])], [3, 1, 0, 2]);
});

test('F_β by hand', () => {
  // precision 2/4, recall 2/3: F1 = 4/7; F0.5 = 1.25·(1/3) ÷ (0.25·0.5 + 2/3) = 10/19.
  assert.ok(Math.abs(fBeta(2, 4, 3, 1) - 4 / 7) < 1e-12);
  assert.ok(Math.abs(fBeta(2, 4, 3, 0.5) - 10 / 19) < 1e-12);
  assert.is(fBeta(0, 0, 0, 1), 0);
});

test('the cut of best F_β by hand, equal values together', () => {
  const values = Float32Array.of(5, 4, 4, 2);
  const items = Uint32Array.of(0, 1, 2, 3);
  // F1 at 1, 3 and 4 items: 2/3, 4/5 (2 of 3 right), 4/6.
  // The threshold is half-way to the next value, 2.
  assert.equal(bestCut({ items, values }, Uint8Array.of(1, 1, 0, 0, 0), 2, 1), { count: 3, threshold: 3 });
  // F0.5: 5/6, 5/7, …: the first alone.
  assert.equal(bestCut({ items, values }, Uint8Array.of(1, 1, 0, 0, 0), 2, 0.5), { count: 1, threshold: 4.5 });
  // All of them: above 0, as codes fire. None: no value is above the highest.
  assert.equal(bestCut({ items, values }, Uint8Array.of(1, 1, 1, 1), 4, 1), { count: 4, threshold: 0 });
  assert.equal(bestCut({ items, values }, Uint8Array.of(0, 0, 0, 0, 1), 1, 1), { count: 0, threshold: 5 });
});

test.run();
