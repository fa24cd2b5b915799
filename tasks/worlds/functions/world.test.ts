/** @file The world of functions: band-limited, the same on every grid, sums of its kernels, by the ids alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createFunctionWorld, FUNCTION_WORLD } from './world.ts';

const test = suite('function world');
const world = createFunctionWorld(FUNCTION_WORLD, 0);
const ids = (n: number) => Array.from({ length: n }, (_, i) => `train-${i}`);
const { points, modes, kernels, events } = FUNCTION_WORLD;

test('a finer grid has the same values at the points of a coarser one', () => {
  const chosen = ids(20);
  const [coarse, fine] = [world.rows(chosen, points / 2), world.rows(chosen, 2 * points)];
  coarse.forEach((value, at) => {
    const [row, s] = [Math.floor(at / (points / 2)), at % (points / 2)];
    assert.is(fine[row * 2 * points + 4 * s]!, value);
  });
});

test('no mode above the kernels’: what the coarsest grid has is the whole function', () => {
  assert.ok(modes <= points / 4);
  const [row] = [world.rows(['a'], 4 * points)];
  for (let mode = 0; mode <= 2 * points; mode++) {
    let [re, im] = [0, 0];
    row.forEach((value, s) => {
      const angle = (2 * Math.PI * mode * s) / row.length;
      re += (value * Math.cos(angle)) / row.length;
      im -= (value * Math.sin(angle)) / row.length;
    });
    const size = Math.hypot(re, im);
    if (mode === 0 || mode >= modes) assert.ok(size < 1e-6, `mode ${mode}: ${size}`);
  }
});

test('a function is the sum of its shifted kernels, each of mean square 1', () => {
  const [row] = [world.rows(['b'], points)];
  const placed = world.events('b');
  row.forEach((value, s) => {
    const sum = placed.reduce((all, e) => all + e.height * world.kernel(e.kernel, s / points - e.shift), 0);
    assert.ok(Math.abs(value - sum) < 1e-5);
  });
  for (let k = 0; k < kernels; k++) {
    const square = Array.from({ length: points }, (_, s) => world.kernel(k, s / points) ** 2);
    assert.ok(Math.abs(square.reduce((a, b) => a + b) / points - 1) < 1e-6);
  }
});

test('as many kernels as asked for; rows depend on the seed and the id alone', () => {
  const counts = ids(3000).map((id) => world.events(id).length);
  assert.ok(Math.abs(counts.reduce((a, b) => a + b) / 3000 - 1 - events) < 0.1);
  assert.is(Math.min(...counts), 1);
  const x = world.rows(['b', 'a'], points);
  assert.equal([...world.rows(['a'], points)], [...x.slice(points)]);
  assert.not.equal([...createFunctionWorld(FUNCTION_WORLD, 1).rows(['a'], points)], [...x.slice(points)]);
});

test.run();
