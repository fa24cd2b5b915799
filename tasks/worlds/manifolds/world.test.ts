/** @file The world of manifolds: dimensions by the rank of the points and of their neighbourhoods, rows by their ids alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { covariance, symmetricEigen } from '../../../harness/kit/index.ts';
import { createManifoldWorld, MANIFOLD_WORLDS, type ManifoldWorld } from './world.ts';

const test = suite('manifold world');

const ids = (n: number) => Array.from({ length: n }, (_, i) => `train-${i}`);

/** Ids of points on one manifold. */
const onManifold = (world: ManifoldWorld, m: number, n: number) => ids(n).filter((id) => world.manifoldOf(id) === m);

/** Number of directions that vectors [n, d] extend in: eigenvalues of their covariance above `floor` times the largest. */
function rank(x: Float32Array, d: number, floor: number): number {
  const { values } = symmetricEigen(covariance(x, d).covariance, d);
  const largest = Math.max(...values);
  return [...values].filter((value) => value > floor * largest).length;
}

test('linear manifolds span as many directions as they have dimensions, all together their sum', () => {
  for (const [name, total] of [
    ['linear', 18],
    ['published', 12],
  ] as const) {
    const world = createManifoldWorld(MANIFOLD_WORLDS[name], 0);
    world.manifolds.forEach(({ dimension }, m) => {
      assert.is(rank(world.rows(onManifold(world, m, 300)), world.d, 1e-6), dimension);
    });
    assert.is(rank(world.rows(ids(600)), world.d, 1e-6), total);
  }
});

test('a curved manifold of r dimensions spans 2 r directions, a sphere r + 1; near a point both have r', () => {
  const world = createManifoldWorld(MANIFOLD_WORLDS.curved, 1);
  const spans = [3, 6, 3];
  world.manifolds.forEach(({ dimension }, m) => {
    const points = onManifold(world, m, 12_000);
    const x = world.rows(points);
    assert.is(rank(x.slice(0, 300 * world.d), world.d, 1e-6), spans[m]);
    const { d } = world;
    const row = (i: number) => x.subarray(i * d, (i + 1) * d);
    const distances = points.map((_, i) => row(i).reduce((sum, value, c) => sum + (value - row(0)[c]!) ** 2, 0));
    const nearest = points
      .map((_, i) => i)
      .sort((a, b) => distances[a]! - distances[b]!)
      .slice(0, 30);
    const near = new Float32Array(nearest.length * d);
    for (const [at, i] of nearest.entries()) near.set(row(i), at * d);
    assert.is(rank(near, d, 0.05), dimension, world.manifolds[m]!.name);
  });
});

test('a sphere has one radius, and coordinates of variance 1', () => {
  const world = createManifoldWorld(MANIFOLD_WORLDS.curved, 2);
  const x = world.rows(onManifold(world, 2, 500));
  for (let i = 0; i < x.length; i += world.d) {
    assert.ok(Math.abs(Math.hypot(...x.subarray(i, i + world.d)) - Math.sqrt(3)) < 1e-5);
  }
});

test('a row depends on the seed and its id alone', () => {
  const world = createManifoldWorld(MANIFOLD_WORLDS.linear, 3);
  const x = world.rows(['b', 'a']);
  assert.equal([...world.rows(['a'])], [...x.slice(world.d)]);
  assert.not.equal([...createManifoldWorld(MANIFOLD_WORLDS.linear, 4).rows(['a'])], [...world.rows(['a'])]);
  const counts = [0, 0, 0];
  for (const id of ids(3000)) counts[world.manifoldOf(id)]!++;
  assert.ok(
    counts.every((count) => count > 900 && count < 1100),
    String(counts),
  );
});

test.run();
