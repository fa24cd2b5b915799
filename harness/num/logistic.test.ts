/** @file Logistic regression against scikit-learn run to convergence (testdata/logistic.py). */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from './allclose.ts';
import { initBackend, probeBackends } from './backend.ts';
import { csrFromDense } from './csr.ts';
import { denseFeatures, sparseFeatures } from './features.ts';
import { decisionScores, fitLogistic, type LogisticOptions } from './logistic.ts';

interface Golden {
  dense: { x: number[]; y: number[]; cols: number };
  counts: { x: number[]; y: number[]; cols: number };
  cases: {
    data: 'dense' | 'counts';
    C: number;
    classWeight: LogisticOptions['classWeight'] | null;
    weights: number[];
    intercept: number;
  }[];
}

const test = suite('logistic');
const native = (await probeBackends()).some(({ name, available }) => name === 'native' && available);
const golden: Golden = JSON.parse(readFileSync(new URL('testdata/logistic.golden.json', import.meta.url), 'utf8'));

for (const { data, C, classWeight, weights, intercept } of golden.cases) {
  test(`equals scikit-learn: ${data}, C=${C}, class weight ${classWeight}`, () => {
    const { x, y, cols } = golden[data];
    const options = { C, classWeight: classWeight ?? undefined };
    const dense = fitLogistic(denseFeatures(x, y.length, cols), y, options);
    assert.ok(dense.converged, `not converged after ${dense.iterations} steps`);
    allclose([...dense.weights, dense.intercept], [...weights, intercept], { rtol: 1e-6, atol: 1e-7 });
    // Sparse codes are float32; counts are exact in it, the dense values are not.
    const csr = csrFromDense(Float32Array.from(x), y.length, cols);
    const sparse = fitLogistic(sparseFeatures(csr), y, options);
    const tolerance = data === 'counts' ? { rtol: 1e-6, atol: 1e-7 } : { rtol: 1e-4, atol: 1e-5 };
    allclose([...sparse.weights, sparse.intercept], [...weights, intercept], tolerance);
  });
}

function momentsLeaveTheAnswer(): void {
  const { x, y, cols } = golden.dense;
  const features = denseFeatures(x, y.length, cols);
  const plain = fitLogistic(features, y);
  const ofClass = (label: number) => {
    const rows = y.flatMap((value, i) => (value === label ? [x.slice(i * cols, (i + 1) * cols)] : []));
    const sum = (a: number, b: number) => rows.reduce((total, row) => total + row[a]! * row[b]!, 0);
    return Float64Array.from({ length: cols * cols }, (_, at) => sum(Math.floor(at / cols), at % cols) / rows.length);
  };
  const right = { negative: ofClass(0), positive: ofClass(1) };
  const off = { negative: right.positive.map((value) => 3 * value), positive: right.negative };
  for (const moments of [right, off]) {
    const fit = fitLogistic(features, y, { moments });
    assert.ok(fit.converged);
    allclose([...fit.weights, fit.intercept], [...plain.weights, plain.intercept], { rtol: 1e-7, atol: 1e-9 });
  }
}

test('moments of the classes, right or far off, shorten the way and leave the answer', momentsLeaveTheAnswer);

if (native) {
  // Their rounding brought one of these fits to where its loss fell no more, with a gradient that still did.
  test('so they do where native kernels factor them', async () => {
    await initBackend('native');
    momentsLeaveTheAnswer();
  });
}

test('the gradient of the objective is zero at the solution', () => {
  const { x, y, cols } = golden.counts;
  const C = 1e4;
  const features = denseFeatures(x, y.length, cols);
  const model = fitLogistic(features, y, { C });
  const residual = decisionScores(features, model).map((z, i) => C * (1 / (1 + Math.exp(-z)) - y[i]!));
  const gradient = new Float64Array(cols);
  features.transposeTimes(residual, gradient);
  gradient.forEach((g, c) => {
    assert.ok(Math.abs(g + model.weights[c]!) < 1e-3, `component ${c}: ${g + model.weights[c]!}`);
  });
});

test('without informative features the intercept is the log odds', () => {
  const model = fitLogistic(denseFeatures([0, 0, 0, 0], 4, 1), [1, 1, 1, 0]);
  allclose([...model.weights, model.intercept], [0, Math.log(3)], { rtol: 1e-8 });
  assert.is(decisionScores(denseFeatures([0], 1, 1), model)[0], model.intercept);
});

test('large features and scores do not overflow', () => {
  const x = [1e6, -1e6, 2e6, -3e6];
  const model = fitLogistic(denseFeatures(x, 4, 1), [1, 0, 1, 0], { C: 1e3 });
  assert.ok(model.weights[0]! > 0 && Number.isFinite(model.intercept));
});

test('refuses one class, a wrong number of labels, a bad C and a NaN', () => {
  const features = denseFeatures([1, 2], 2, 1);
  assert.throws(() => fitLogistic(features, [1, 1]), /needs both classes, got 2 positives of 2 rows/);
  assert.throws(() => fitLogistic(features, [1]), /1 labels for 2 rows/);
  assert.throws(() => fitLogistic(features, [1, 0], { C: 0 }), /C must be positive/);
  assert.throws(() => fitLogistic(denseFeatures([1, Number.NaN], 2, 1), [1, 0]), /not finite/);
});

test.run();
