/** @file The world of known features: rates, trees, the published figures, and rows that depend on their ids alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../../../harness/num/backend.ts';
import { maxCosine } from '../../../harness/num/metrics/decoder.ts';
import { FEATURE_WORLDS } from './configuration.ts';
import { buildHierarchy, compensated, zipfProbabilities } from './hierarchy.ts';
import { createFeatureWorld } from './world.ts';

const test = suite('feature world');
test.before(async () => {
  await initBackend('auto');
});

const ids = (n: number) => Array.from({ length: n }, (_, i) => `train-${i}`);
const small = createFeatureWorld(FEATURE_WORLDS.small, 0);

test('trees are numbered level by level; the published ones have 10,880 features', () => {
  const { parents } = buildHierarchy({ features: 9, hierarchy: { roots: 2, branching: 2, depth: 2 } });
  // Four children, and room for 3 of their 8.
  assert.equal([...parents], [-1, -1, 0, 0, 1, 1, 2, 2, 3]);
  const published = buildHierarchy(FEATURE_WORLDS['synth-sae-bench-16k']);
  assert.is(published.parents.filter((parent) => parent >= 0).length, 128 * (4 + 16 + 64));
});

test('Zipf by hand: from most to least as a power of the rank', () => {
  const p = zipfProbabilities({ features: 4, firing: { most: 0.4, least: 0.1, exponent: 0.5 } });
  assert.ok(Math.abs(p[0]! - 0.4) < 1e-12 && Math.abs(p[3]! - 0.1) < 1e-12);
  // (2^-½ − ½) ÷ (1 − ½) of .3 above .1
  assert.ok(Math.abs(p[1]! - (0.1 + 0.3 * (2 * Math.SQRT1_2 - 1))) < 1e-12);
});

test('compensation by hand: ÷ the parent, × 1 + the other siblings ÷ the parent, at most 1', () => {
  const tree = buildHierarchy({ features: 3, hierarchy: { roots: 1, branching: 2, depth: 1 } });
  const p = compensated(Float64Array.of(0.5, 0.1, 0.05), tree);
  assert.ok(Math.abs(p[1]! - 0.2 * 1.1) < 1e-12 && Math.abs(p[2]! - 0.1 * 1.2) < 1e-12);
  assert.is(compensated(Float64Array.of(0.1, 0.1, 0.1), tree)[1], 1);
});

test('a child is active only with its parent, and of siblings one at a time', () => {
  const { indptr, indices } = small.of(ids(2000));
  for (let i = 0; i < 2000; i++) {
    const active = indices.subarray(indptr[i]!, indptr[i + 1]!);
    const parents = [...active].map((feature) => small.parents![feature]!).filter((parent) => parent >= 0);
    assert.is(new Set(parents).size, parents.length);
    assert.ok(parents.every((parent) => active.includes(parent)));
    assert.ok(active.every((feature, at) => at === 0 || feature > active[at - 1]!));
  }
});

test('features outside of the trees fire as often as the law says, roots too', () => {
  const { indices } = small.of(ids(20_000));
  const law = zipfProbabilities(FEATURE_WORLDS.small);
  const counts = new Float64Array(256);
  for (const feature of indices) counts[feature]!++;
  for (const i of [0, 3, 7, 120, 200, 255]) {
    const error = Math.sqrt((law[i]! * (1 - law[i]!)) / 20_000);
    assert.ok(Math.abs(counts[i]! / 20_000 - law[i]!) < 5 * error, `feature ${i}: ${counts[i]! / 20_000}, ${law[i]}`);
  }
});

test('a child grows with its parent: magnitudes go together as drawn · parent ÷ mean', () => {
  const child = 8;
  const parent = small.parents![child]!;
  const codes = small.of(ids(4000));
  const pairs: [number, number][] = [];
  for (let i = 0; i < codes.n; i++) {
    const [start, end] = [codes.indptr[i]!, codes.indptr[i + 1]!];
    const row = codes.indices.subarray(start, end);
    const at = row.indexOf(child);
    if (at >= 0) pairs.push([codes.values[start + at]!, codes.values[start + row.indexOf(parent)]!]);
  }
  const mean = (of: (pair: [number, number]) => number) =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [mc, mp] = [mean(([c]) => c), mean(([, p]) => p)];
  const covariance = mean(([c, p]) => (c - mc) * (p - mp));
  assert.ok(pairs.length > 100 && covariance / mean(([, p]) => (p - mp) ** 2) > 0.5, `${covariance}`);
});

test('the published world: L0 about 34, about 25 of it from the 4,096 most frequent features', () => {
  const world = createFeatureWorld(FEATURE_WORLDS['synth-sae-bench-16k'], 0);
  const { indices } = world.of(ids(200));
  const l0 = indices.length / 200;
  const frequent = indices.filter((feature) => feature < 4096).length / 200;
  assert.ok(Math.abs(l0 - 34) < 1.5 && Math.abs(frequent - 25) < 1.5, `${l0} ${frequent}`);
});

test('rows are the bias and the features’ directions, and depend on their ids alone', async () => {
  const directions = await small.directions();
  const [three] = [await small.rows(['a', 'b', 'c'])];
  assert.equal(await small.rows(['c']), three.subarray(128));
  const again = createFeatureWorld(FEATURE_WORLDS.small, 0);
  assert.equal(await again.rows(['b']), three.subarray(64, 128));
  assert.not.equal(await createFeatureWorld(FEATURE_WORLDS.small, 1).rows(['b']), three.subarray(64, 128));
  const { indptr, indices, values } = small.of(['a', 'b']);
  // The bias takes no part in the difference of two rows.
  const difference = new Float64Array(64);
  for (const [row, sign] of [1, -1].entries()) {
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
      for (let j = 0; j < 64; j++) difference[j]! += sign * values[at]! * directions[indices[at]! * 64 + j]!;
    }
  }
  for (let j = 0; j < 64; j++) assert.ok(Math.abs(three[j]! - three[64 + j]! - difference[j]!) < 1e-5);
});

test('directions have length 1, and orthogonalising takes a good part of their cosines away', async () => {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const directions = await small.directions();
  for (let at = 0; at < directions.length; at += 64) {
    assert.ok(Math.abs(Math.hypot(...directions.subarray(at, at + 64)) - 1) < 1e-5);
  }
  const plain = createFeatureWorld({ ...FEATURE_WORLDS.small, orthogonalise: { steps: 0, lr: 1 } }, 0);
  const [after, before] = [mean(maxCosine(directions, 256)), mean(maxCosine(await plain.directions(), 256))];
  assert.ok(after < 0.315 && before > 0.335, `${before} to ${after}`);
});

test.run();
