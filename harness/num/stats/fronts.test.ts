/** @file Values between points of a curve, by hand; the Pareto front against all pairs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../rng.ts';
import { paretoFront, valueAt } from './fronts.ts';

const test = suite('stats/fronts');

test('halfway in ln x is halfway in y and in both ends of the interval; the order of points is of no matter', () => {
  const points = [
    { x: 32, y: 0.9, ci95: [0.88, 0.94] as [number, number] },
    { x: 8, y: 0.5, ci95: [0.4, 0.6] as [number, number] },
  ];
  const { y, ci95 } = valueAt(points, 16)!;
  assert.ok(Math.abs(y - 0.7) < 1e-12);
  assert.ok(Math.abs(ci95![0] - 0.64) < 1e-12 && Math.abs(ci95![1] - 0.77) < 1e-12);
  assert.equal(valueAt(points, 8), { y: 0.5, ci95: [0.4, 0.6] });
  assert.equal(valueAt(points, 32)!.y, 0.9);
});

test('nothing is extrapolated, and an interval needs both', () => {
  const points = [
    { x: 8, y: 0.5, ci95: null },
    { x: 32, y: 0.9, ci95: [0.8, 1] as [number, number] },
  ];
  assert.is(valueAt(points, 7.8), undefined);
  assert.is(valueAt(points, 33), undefined);
  assert.is(valueAt(points, 7.9)!.y, 0.5, 'within 2 %: what aims for 8');
  assert.is(valueAt(points, 32.5)!.y, 0.9);
  assert.is(valueAt([], 8), undefined);
  assert.is(valueAt(points, 16)!.ci95, null);
});

test('the front: what no other beats, equal points together', () => {
  const front = (better: 'max' | 'min') => (points: [number, number][]) =>
    paretoFront(
      points.map(([x, y]) => ({ x, y })),
      better,
    ).map(({ x, y }) => [x, y]);
  assert.equal(
    front('max')([
      [1, 1],
      [2, 3],
      [3, 2],
      [3, 4],
      [3, 4],
      [4, 4],
    ]),
    [
      [1, 1],
      [2, 3],
      [3, 4],
      [3, 4],
    ],
  );
  assert.equal(
    front('min')([
      [1, 3],
      [2, 3],
      [2, 1],
      [5, 2],
    ]),
    [
      [1, 3],
      [2, 1],
    ],
  );
  const near = [
    { x: 15.9, y: 1 },
    { x: 16, y: 2 },
  ];
  assert.equal([paretoFront(near, 'max').length, paretoFront(near, 'max', 0.02).length], [2, 1]);
  const rng = createRng('fronts');
  const points = Array.from({ length: 200 }, () => ({ x: rng.int(30), y: rng.int(30) }));
  const own = new Set(paretoFront(points, 'max'));
  for (const point of points) {
    const beaten = points.some(({ x, y }) => (x < point.x && y >= point.y) || (x <= point.x && y > point.y));
    assert.is(own.has(point), !beaten);
  }
});

test.run();
