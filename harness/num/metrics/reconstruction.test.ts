/** @file Reconstruction metrics by hand, in any batching, with intervals by document. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { csrFromDense, csrSlice } from '../csr.ts';
import { createRng } from '../rng.ts';
import { ratioInterval } from '../stats/interval.ts';
import { densityHistogram, histogram } from './density.ts';
import { createReconstruction } from './reconstruction.ts';
import type { ReconstructionBatch, TokenCodes } from './reconstruction-sums.ts';

const test = suite('reconstruction');
const X = Float32Array.of(2, 0, 0, 4);

function explainedVariance(x: Float32Array, xHat: Float32Array): number | null {
  const accumulator = createReconstruction(2, 0);
  accumulator.add({ x, xHat });
  return accumulator.metrics().explained_variance;
}

test('explained variance: predict the mean gives 0, perfect gives 1, two tokens give 0.8', () => {
  assert.is(explainedVariance(X, Float32Array.of(1, 2, 1, 2)), 0);
  assert.is(explainedVariance(X, X), 1);
  allclose([explainedVariance(X, Float32Array.of(2, 1, 0, 3))!], [0.8], { rtol: 1e-12 });
  assert.is(explainedVariance(Float32Array.of(1, 1, 1, 1), X), null);
});

test('explained variance does not depend on an offset of the data, which SAEBench 0.6 gets wrong', () => {
  const rng = createRng('offset');
  const x = rng.fillNormal(new Float32Array(400));
  const xHat = x.map((value) => value + 0.4 * rng.normal());
  const shifted = explainedVariance(
    x.map((v) => v + 16),
    xHat.map((v) => v + 16),
  )!;
  allclose([shifted], [explainedVariance(x, xHat)!], { rtol: 1e-4 });
});

test('every metric by hand on two tokens', () => {
  const accumulator = createReconstruction(2, 4);
  const codes = csrFromDense(Float32Array.of(1, 0, -2, 0, 0, 0, 3, 0), 2, 4);
  accumulator.add({ x: Float32Array.of(3, 4, 0, 2), xHat: Float32Array.of(3, 0, 0, 1), codes });
  const m = accumulator.metrics();
  assert.is(m.tokens, 2);
  allclose([m.mse!], [(16 + 1) / 2]);
  // Mean (1.5, 3): squares about it 1.5² + 1 + 1.5² + 1 = 6.5.
  allclose([m.nmse!, m.explained_variance!], [17 / 6.5, 1 - 17 / 6.5]);
  allclose([m.explained_variance_legacy!], [(1 - 16 / 3.25 + 1 - 1 / 3.25) / 2]);
  allclose([m.cosine!], [(0.6 + 1) / 2]);
  allclose([m.l2_norm_in!, m.l2_norm_out!, m.l2_ratio!], [3.5, 2, (0.6 + 0.5) / 2]);
  allclose([m.relative_reconstruction_bias!], [10 / 11]);
  allclose([m.l0!, m.l1!, m.fraction_alive!], [1.5, 3, 0.5]);
  allclose(accumulator.densities(), [0.5, 0, 1, 0]);
  allclose([m.freq_over_10_percent!], [0.5]);
});

test('batching changes nothing but the legacy metric', () => {
  const rng = createRng('batches');
  const [n, d_in, d_sae] = [24, 5, 6];
  const x = rng.fillNormal(new Float32Array(n * d_in), 2);
  const xHat = x.map((value) => 0.9 * value + 0.1 * rng.normal());
  const codes = csrFromDense(
    Float32Array.from({ length: n * d_sae }, () => Math.max(0, rng.normal())),
    n,
    d_sae,
  );
  const documents = Array.from({ length: n }, (_, i) => Math.floor(i / 4));
  const run = (step: number) => {
    const accumulator = createReconstruction(d_in, d_sae);
    for (let i = 0; i < n; i += step) {
      accumulator.add({
        x: x.slice(i * d_in, (i + step) * d_in),
        xHat: xHat.slice(i * d_in, (i + step) * d_in),
        codes: csrSlice(codes, i, i + step),
        documents: documents.slice(i, i + step),
      });
    }
    return accumulator;
  };
  const [whole, parts] = [run(24).metrics(), run(6).metrics()];
  for (const key of Object.keys(whole) as (keyof typeof whole)[]) {
    if (key !== 'explained_variance_legacy') allclose([parts[key]!], [whole[key]!], { rtol: 1e-12 }, key);
  }
  const ratios = run(6).ratios();
  assert.is(Object.keys(ratios).length, 8);
  for (const [name, { numerators, denominators }] of Object.entries(ratios)) {
    const { value, n: units, ci } = ratioInterval(numerators, denominators)!;
    assert.is(units, 6, `${name} is a ratio over documents`);
    allclose([value], [whole[name as 'mse']!], { rtol: 1e-9 }, name);
    assert.ok(ci![0] < value && value < ci![1], name);
  }
  const [error, kept] = [ratios.nmse!, ratios.explained_variance!].map(
    (each) => ratioInterval(each.numerators, each.denominators)!.ci!,
  );
  allclose([error![0], error![1]], [1 - kept![1], 1 - kept![0]]);
});

test('documents beyond the bound share clusters, and nothing is lost', () => {
  const accumulator = createReconstruction(1, 0, 3);
  accumulator.add({ x: Float32Array.of(1, 2, 3, 4, 5), xHat: new Float32Array(5), documents: [0, 1, 2, 3, 4] });
  assert.is(accumulator.metrics().mse, 11);
  assert.is(accumulator.ratios().mse!.numerators.length, 3);
});

test('dense codes count as their sparse form, and numbers that are not finite are told', () => {
  const rng = createRng('dense');
  const [n, d_in, d_sae] = [9, 3, 21];
  const x = rng.fillNormal(new Float32Array(n * d_in));
  const dense = rng.fillNormal(new Float32Array(n * d_sae)).map((value) => (value > 0.5 ? value : 0));
  const of = (codes: TokenCodes) => {
    const accumulator = createReconstruction(d_in, d_sae);
    assert.is(accumulator.add({ x, xHat: x, codes }), undefined);
    return { ...accumulator.metrics(), densities: [...accumulator.densities()] };
  };
  assert.equal(of({ n, d_sae, dense }), of(csrFromDense(dense, n, d_sae)));
  const spoilt = (values: Float32Array, at: number) => values.map((value, i) => (i === at ? Number.NaN : value));
  const add = (batch: ReconstructionBatch) => createReconstruction(d_in, d_sae).add(batch);
  assert.is(add({ x: spoilt(x, 7) }), 2);
  assert.is(add({ x, xHat: x.map((value, i) => (i === 10 ? -Infinity : value)) }), 3);
  assert.is(add({ x, codes: { n, d_sae, dense: spoilt(dense, 5 * d_sae) } }), 5);
  assert.is(add({ x, codes: csrFromDense(spoilt(dense, 5 * d_sae), n, d_sae) }), 5);
});

test('without codes or tokens metrics are null, not zero', () => {
  const accumulator = createReconstruction(2, 8);
  assert.is(accumulator.metrics().mse, null);
  accumulator.add({ x: X, xHat: X });
  const { l0, l1, fraction_alive } = accumulator.metrics();
  assert.equal([l0, l1, fraction_alive], [null, null, null]);
  assert.is(accumulator.ratios().l0, undefined);
});

test('without a reconstruction its metrics are null, and those of the codes are not', () => {
  const accumulator = createReconstruction(2, 2);
  accumulator.add({ x: X, codes: csrFromDense(Float32Array.of(1, 0, 0, 2), 2, 2) });
  const { mse, nmse, cosine, l2_norm_in, l2_norm_out, l0 } = accumulator.metrics();
  assert.equal([mse, nmse, cosine, l2_norm_in, l2_norm_out, l0], [null, null, null, 3, null, 1]);
  const { explained_variance, l2_ratio, l1 } = accumulator.ratios();
  assert.equal([explained_variance, l2_ratio, [...l1!.numerators]], [undefined, undefined, [1, 2]]);
});

test('shapes that do not fit are refused', () => {
  const accumulator = createReconstruction(2, 3);
  assert.throws(() => accumulator.add({ x: X, xHat: new Float32Array(2) }), /4 and 2 values/);
  assert.throws(() => accumulator.add({ x: X, xHat: X, documents: [1] }), /1 document numbers for 2 tokens/);
  const codes = csrFromDense(new Float32Array(8), 2, 4);
  assert.throws(() => accumulator.add({ x: X, xHat: X, codes }), /d_sae 4, expected 3/);
});

test('density histogram counts the dead apart', () => {
  const h = densityHistogram([0, 1e-3, 0.5, 1, 1e-9], 6);
  assert.is(h.dead, 1);
  assert.is(h.below, 1);
  assert.is(h.counts.length, 24);
  assert.is(
    h.counts.reduce((a, b) => a + b, 0),
    3,
  );
});

test('histogram counts edges as documented', () => {
  const h = histogram([-1, 0, 0.5, 1, 1.5, 2, 3, Number.NaN], 0, 2, 2);
  assert.equal(h, { edges: [0, 1, 2], counts: [2, 3], below: 1, above: 1 });
  assert.throws(() => histogram([], 1, 1, 2), /low < high/);
});

test.run();
