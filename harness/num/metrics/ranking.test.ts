/** @file Ranking metrics against scikit-learn (testdata/metrics.py), by hand, and sparse against dense. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { csrFromDense } from '../csr.ts';
import { createRng } from '../rng.ts';
import { latentAuroc } from './latent-auroc.ts';
import { averagePrecision, prCurve } from './precision-recall.ts';
import { auroc, averageRoc, rocCurve } from './roc.ts';
import { bestF1Threshold, f1AtPrior, shareAbove } from './threshold.ts';

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
    const prior = labels.reduce((sum, label) => sum + label, 0) / labels.length;
    const threshold = bestF1Threshold(scores, labels, prior);
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
  assert.is(bestF1Threshold([0, 1, 4, 5], [0, 0, 1, 1], 0.5), 2.5);
  assert.is(bestF1Threshold([2, 2], [1, 0], 0.5), 2);
  // Of 100 negatives for each positive the middle one would make 50 false alarms: half of the positives is better.
  assert.is(bestF1Threshold([1, 3, 2, 0], [1, 1, 0, 0], 0.01), 2.5);
  assert.is(f1AtPrior(0, 0, 0.5), 0);
  assert.ok(Math.abs(f1AtPrior(0.75, 0.25, 0.01) - (2 * 0.0075) / (0.0075 + 0.2475 + 0.01)) < 1e-15);
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

test.run();
