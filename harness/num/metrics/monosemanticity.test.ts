/** @file MS: published-definition golden vectors, the quadratic definition, and latents without a score. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { csrFromDense } from '../csr.ts';
import { createRng } from '../rng.ts';
import { msScores, msScoresDense } from './monosemanticity.ts';
import { summariseMs } from './ms-summary.ts';

const test = suite('monosemanticity');

/** Five unnormalised embeddings, and latents (columns) with their scores worked out from the definition. */
const EMBEDDINGS = Float32Array.of(1, 0, 1, 1, 0, 2, -1, 1, 3, 0);
const GOLDEN: [number[], number][] = [
  [[0, 1, 2, 4, 0], 0.50507627],
  [[1, 1, 0, 0, 1], 0.80473785],
  [[0, 0, 0, 0, 0], Number.NaN],
  [[2, 0, 0, 0, 0], Number.NaN],
  [[3, 1, 1.5, 1, 2], 0.57142857],
];
const columns = (latents: number[][]) =>
  Float32Array.from({ length: latents[0]!.length * latents.length }, (_, i) => {
    return latents[i % latents.length]![Math.floor(i / latents.length)]!;
  });

/** Σ_{n<m} t_n t_m cos / Σ_{n<m} t_n t_m with min-max scaled t, as the paper states it. */
function bruteForce(activations: number[], embeddings: Float32Array): number {
  const n = activations.length;
  const dim = embeddings.length / n;
  const [min, max] = [Math.min(...activations), Math.max(...activations)];
  const t = activations.map((value) => (value - min) / (max - min));
  const e = (i: number) => embeddings.subarray(i * dim, (i + 1) * dim);
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, c) => sum + value * y[c]!, 0);
  let [top, bottom] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const cosine = dot(e(i), e(j)) / Math.sqrt(dot(e(i), e(i)) * dot(e(j), e(j)));
      top += t[i]! * t[j]! * cosine;
      bottom += t[i]! * t[j]!;
    }
  }
  return top / bottom;
}

test('golden vectors, sparse and dense', () => {
  const dense = columns(GOLDEN.map(([latent]) => latent));
  const expected = GOLDEN.map(([, score]) => score);
  for (const ms of [msScores(csrFromDense(dense, 5, 5), EMBEDDINGS), msScoresDense(dense, 5, 5, EMBEDDINGS)]) {
    allclose(ms.scores, expected, { rtol: 0, atol: 1e-7 });
    allclose([ms.uniformFloor], [0.24142136], { rtol: 0, atol: 1e-7 });
    assert.equal(ms.status, ['scored', 'scored', 'dead', 'single', 'scored']);
  }
});

test('equals the quadratic definition on random latents: sparse, dense, signed, shifted', () => {
  const rng = createRng('ms');
  const [n, d, dim] = [60, 12, 7];
  const embeddings = rng.fillNormal(new Float32Array(n * dim));
  const dense = Float32Array.from({ length: n * d }, (_, i) => {
    const f = i % d;
    const value = rng.normal();
    if (f < 4) return rng.uniform() < 0.2 ? Math.abs(value) : 0;
    if (f < 8) return rng.uniform() < 0.3 ? value : 0;
    return value + 5 * (f - 8);
  });
  const expected = Array.from({ length: d }, (_, f) =>
    bruteForce(
      Array.from({ length: n }, (__, i) => dense[i * d + f]!),
      embeddings,
    ),
  );
  allclose(msScores(csrFromDense(dense, n, d), embeddings).scores, expected, { rtol: 1e-5, atol: 1e-6 });
  allclose(msScoresDense(dense, n, d, embeddings).scores, expected, { rtol: 1e-5, atol: 1e-6 });
});

test('constant and single latents are told apart, also below zero', () => {
  const latents = [
    [2, 2, 2, 2, 2],
    [-1, 0, 0, 0, 0],
    [0, 0, -3, -3, -3],
    [-1, -1, -1, -1, 0],
    [5, 5, 5, 5, 7],
  ];
  const ms = msScores(csrFromDense(columns(latents), 5, 5), EMBEDDINGS);
  assert.equal(ms.status, ['constant', 'scored', 'scored', 'single', 'single']);
  allclose([ms.scores[1]!], [bruteForce(latents[1]!, EMBEDDINGS)]);
  allclose([ms.scores[2]!], [bruteForce(latents[2]!, EMBEDDINGS)]);
  assert.is(ms.effectiveItems[0], 0);
});

test('effective items count those that carry the score', () => {
  const latents = [
    [1, 1, 1, 0, 0],
    [1, 0.001, 0, 0, 0],
  ];
  const { effectiveItems } = msScores(csrFromDense(columns(latents), 5, 2), EMBEDDINGS);
  allclose(effectiveItems, [3, 1.002], { rtol: 1e-4 });
});

test('identical items score 1, and zero embeddings are refused', () => {
  const same = Float32Array.of(1, 2, 1, 2, 1, 2);
  const ms = msScores(csrFromDense(Float32Array.of(1, 2, 3), 3, 1), same);
  allclose([ms.scores[0]!, ms.uniformFloor], [1, 1]);
  assert.throws(
    () => msScores(csrFromDense(Float32Array.of(1, 2), 2, 1), Float32Array.of(1, 0)),
    /embedding 1 is zero/,
  );
  assert.throws(
    () => msScores(csrFromDense(Float32Array.of(1, 2), 2, 1), Float32Array.of(1, 0, 1)),
    /3 embedding values/,
  );
});

test('the summary counts what has no score and fills nothing in', () => {
  const dense = columns(GOLDEN.map(([latent]) => latent));
  const summary = summariseMs(msScores(csrFromDense(dense, 5, 5), EMBEDDINGS));
  assert.equal(summary.counts, { scored: 3, dead: 1, constant: 0, single: 1 });
  allclose([summary.mean!, summary.min!, summary.max!], [0.6270809, 0.50507627, 0.80473785], { atol: 1e-6 });
  allclose([summary.quantiles[2]!], [0.57142857]);
  const strict = summariseMs(msScores(csrFromDense(dense, 5, 5), EMBEDDINGS), 100);
  assert.equal([strict.mean, strict.std, strict.max, strict.belowSupport], [null, null, null, 3]);
});

test.run();
