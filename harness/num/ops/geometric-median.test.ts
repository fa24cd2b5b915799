/** @file The geometric median on cases with a known answer. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { createRng } from '../rng.ts';
import { geometricMedian } from './geometric-median.ts';

const test = suite('geometric median');
const precise = { tolerance: 1e-14, maxIterations: 10000 };

test('of a square is its centre, and an outlier moves it little', () => {
  const square = [0, 0, 0, 2, 2, 0, 2, 2];
  allclose(geometricMedian(Float32Array.from(square), 2), [1, 1]);
  const withOutlier = geometricMedian(Float32Array.from([...square, 1000, 1000]), 2);
  // The mean lies at 200.8; the median stays inside the square.
  assert.ok(withOutlier[0]! < 2 && withOutlier[1]! < 2, `${withOutlier}`);
});

test('of a triangle is the Fermat point', () => {
  // All angles below 120°: the point from which the sides are seen under 120°. Equilateral: the centroid.
  const h = Math.sqrt(3) / 2;
  allclose(geometricMedian(Float32Array.of(0, 0, 1, 0, 0.5, h), 2, precise), [0.5, h / 3], { atol: 1e-5 });
  // An angle of at least 120°: that corner itself.
  const obtuse = geometricMedian(Float32Array.of(0, 0, 10, 1, -10, 1), 2, precise);
  allclose(obtuse, [0, 0], { atol: 2e-3 });
});

test('in one dimension is the median', () => {
  allclose(geometricMedian(Float32Array.of(1, 2, 50), 1, precise), [2], { atol: 1e-3 });
});

test('no single step away lowers the summed distance', () => {
  const x = createRng('median').fillNormal(new Float32Array(60));
  const cost = (p: ArrayLike<number>) => {
    let total = 0;
    for (let i = 0; i < 20; i++) total += Math.hypot(x[3 * i]! - p[0]!, x[3 * i + 1]! - p[1]!, x[3 * i + 2]! - p[2]!);
    return total;
  };
  const median = geometricMedian(x, 3, precise);
  for (let axis = 0; axis < 3; axis++) {
    for (const step of [-0.01, 0.01]) {
      const moved = Array.from(median);
      moved[axis]! += step;
      assert.ok(cost(moved) > cost(median));
    }
  }
});

test('of identical rows is that row; of nothing an error', () => {
  allclose(geometricMedian(Float32Array.of(3, 4, 3, 4), 2), [3, 4]);
  assert.throws(() => geometricMedian(new Float32Array(0), 2), /no rows/);
  assert.throws(() => geometricMedian(new Float32Array(3), 2), /no rows/);
});

test.run();
