/** @file The jackknife of the mean MS against leaving blocks out one by one, and its error against drawn items. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { csrFromDense, csrRows } from '../csr.ts';
import { createRng } from '../rng.ts';
import { meanInterval } from '../stats/interval.ts';
import { msScores } from './monosemanticity.ts';
import { msBlockSamples } from './ms-jackknife.ts';
import { summariseMs } from './ms-summary.ts';

const test = suite('ms-jackknife');
const [DIM, LATENTS] = [6, 9];

/** Items of three kinds; latents that fire on a kind now and then, some signed. */
function drawn(n: number, seed: string, lowest = 0) {
  const rng = createRng(seed);
  const embeddings = new Float32Array(n * DIM);
  const dense = new Float32Array(n * LATENTS);
  for (let i = 0; i < n; i++) {
    const kind = rng.int(3);
    for (let c = 0; c < DIM; c++) embeddings[i * DIM + c] = (c === kind ? 2 : 0) + rng.normal();
    for (let f = 0; f < LATENTS; f++) {
      const fires = rng.uniform() < (f % 3 === kind ? 0.7 : 0.2);
      dense[i * LATENTS + f] = fires ? lowest + rng.uniform() : 0;
    }
  }
  const codes = csrFromDense(dense, n, LATENTS);
  const { scores } = msScores(codes, embeddings);
  return { codes, embeddings, scores, mean: summariseMs(msScores(codes, embeddings)).mean! };
}

test('pseudo-values are those of scores without a block, and their mean is the mean MS', () => {
  for (const lowest of [0, -0.4]) {
    const { codes, embeddings, scores, mean } = drawn(60, 'blocks', lowest);
    const samples = msBlockSamples(codes, embeddings, scores, mean);
    assert.is(samples.length, 20);
    const without = Array.from({ length: 20 }, (_, block) => {
      const kept = Uint32Array.from(Array.from({ length: 60 }, (_, i) => i).filter((i) => i % 20 !== block));
      const rows = new Float32Array(kept.length * DIM);
      kept.forEach((item, i) => {
        rows.set(embeddings.subarray(item * DIM, (item + 1) * DIM), i * DIM);
      });
      return summariseMs(msScores(csrRows(codes, kept), rows)).mean!;
    });
    const centre = without.reduce((sum, value) => sum + value, 0) / 20;
    if (lowest === 0) {
      samples.forEach((sample, block) => {
        assert.ok(Math.abs(sample - (mean - 19 * (without[block]! - centre))) < 1e-4, `${block}: ${sample}`);
      });
    }
    assert.ok(Math.abs(samples.reduce((sum, value) => sum + value, 0) / 20 - mean) < 1e-9);
  }
});

test('their interval covers the mean MS of many items', () => {
  const truth = drawn(6000, 'truth').mean;
  const trials = 200;
  let covered = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { codes, embeddings, scores, mean } = drawn(80, `trial ${trial}`);
    const [low, high] = meanInterval(msBlockSamples(codes, embeddings, scores, mean))!.ci!;
    if (low <= truth && truth <= high) covered++;
  }
  assert.ok(covered > 0.95 * trials - 3.5 * Math.sqrt(0.95 * 0.05 * trials), `${covered} of ${trials}`);
});

test('a bounded budget takes some of the latents; too few items or no scored latent give nothing', () => {
  const { codes, embeddings, scores, mean } = drawn(60, 'budget');
  const some = msBlockSamples(codes, embeddings, scores, mean, 600);
  assert.is(some.length, 20);
  assert.ok(Math.abs(some.reduce((sum, value) => sum + value, 0) / 20 - mean) < 1e-9);
  assert.equal(
    msBlockSamples(
      codes,
      embeddings,
      scores.map(() => Number.NaN),
      0,
    ),
    [],
  );
  const three = drawn(3, 'three');
  assert.equal(msBlockSamples(three.codes, three.embeddings, three.scores, three.mean), []);
});

test.run();
