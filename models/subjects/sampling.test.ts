/** @file Sampling against hand-computed distributions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../harness/kit/index.ts';
import { argmax, type SamplingOptions, sampleToken } from './sampling.ts';

const test = suite('models/subjects/sampling');

const WEIGHTS = Float32Array.of(1, 2, 3, 4);

/** Shares of each token over evenly spaced uniforms. */
function shares(options: SamplingOptions = {}): number[] {
  const counts = [0, 0, 0, 0];
  const draws = 10000;
  for (let i = 0; i < draws; i++) counts[sampleToken(WEIGHTS, (i + 0.5) / draws, options)]!++;
  return counts.map((count) => Math.round((1000 * count) / draws) / 1000);
}

test('all tokens are drawn in proportion to their weights', () => {
  assert.equal(shares(), [0.1, 0.2, 0.3, 0.4]);
});

test('top-k keeps the k most likely', () => {
  assert.equal(shares({ topK: 2 }), [0, 0, 0.429, 0.571]);
  assert.equal(shares({ topK: 1 }), [0, 0, 0, 1]);
  assert.equal(shares({ topK: 99 }), [0.1, 0.2, 0.3, 0.4]);
});

test('top-p keeps the fewest that reach p, the one that crosses included', () => {
  assert.equal(shares({ topP: 0.39 }), [0, 0, 0, 1]);
  assert.equal(shares({ topP: 0.5 }), [0, 0, 0.429, 0.571]);
  assert.equal(shares({ topP: 1 }), [0.1, 0.2, 0.3, 0.4]);
});

test('top-p is taken of what top-k left', () => {
  // .4 and .3 become .571 and .429: .5 is reached by the first alone.
  assert.equal(shares({ topK: 2, topP: 0.5 }), [0, 0, 0, 1]);
});

test('a weight of 0 is never drawn', () => {
  assert.is(sampleToken(Float32Array.of(0, 1, 0), 0), 1);
  assert.is(sampleToken(Float32Array.of(0, 1, 0), 1 - 2 ** -53), 1);
});

test('the largest uniform still gives a token that is allowed', () => {
  assert.is(sampleToken(WEIGHTS, 1 - 2 ** -53, { topK: 2 }), 2);
});

test('ties: greedy takes the first', () => {
  assert.is(argmax([1, 3, 3, 2]), 1);
});

test('over a large vocabulary the kept set is that of a full sort', () => {
  const rng = createRng(9);
  const weights = Float32Array.from({ length: 600 }, () => Math.exp(Math.round(rng.normal() * 40) / 40));
  const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || a - b);
  const ends: number[] = [];
  for (const id of order) ends.push((ends.at(-1) ?? 0) + weights[id]!);
  const size = ends.findIndex((end) => end >= 0.9 * ends.at(-1)!) + 1;
  assert.ok(size > 64 && size < 600, `${size}`);
  // A uniform in the middle of a token's share of the kept weight draws that token and no other.
  const drawAll = (kept: number, options: { topK?: number; topP?: number }) =>
    order.slice(0, kept).map((_, i) => {
      const u = ((ends[i - 1] ?? 0) + ends[i]!) / 2 / ends[kept - 1]!;
      return sampleToken(weights, u, options);
    });
  assert.equal(drawAll(size, { topP: 0.9 }), order.slice(0, size));
  assert.equal(drawAll(7, { topK: 7 }), order.slice(0, 7));
});

test('frequencies follow the distribution with a seeded stream', () => {
  const rng = createRng(3);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 20000; i++) counts[sampleToken(WEIGHTS, rng.uniform())]!++;
  counts.forEach((count, id) => {
    assert.ok(Math.abs(count / 20000 - (id + 1) / 10) < 0.012, `${id}: ${count}`);
  });
});

test.run();
