/** @file Nonlinear least squares: exact where a solution is known, never worse than the start, at peace with idle parameters. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { leastSquares } from './least-squares.ts';

const test = suite('stats/least-squares');

test('a straight line: the normal equations by hand', () => {
  // y = a + b x through (0, 1), (1, 3), (2, 4): b = 3/2, a = 7/6, sum of squares 1/6.
  const points = [
    [0, 1],
    [1, 3],
    [2, 4],
  ] as const;
  const { params, sum } = leastSquares(
    ([a, b]) => ({
      values: Float64Array.from(points, ([x, y]) => a! + b! * x - y),
      jacobian: Float64Array.from(points.flatMap(([x]) => [1, x])),
    }),
    [100, -50],
  );
  assert.ok(Math.abs(params[0]! - 7 / 6) < 1e-9 && Math.abs(params[1]! - 1.5) < 1e-9, `${params}`);
  assert.ok(Math.abs(sum - 1 / 6) < 1e-12);
});

test("Rosenbrock's valley from its usual start", () => {
  const { params, sum } = leastSquares(
    ([x, y]) => ({
      values: Float64Array.of(10 * (y! - x! * x!), 1 - x!),
      jacobian: Float64Array.of(-20 * x!, 10, -1, 0),
    }),
    [-1.2, 1],
  );
  assert.ok(Math.abs(params[0]! - 1) < 1e-6 && Math.abs(params[1]! - 1) < 1e-6, `${params}`);
  assert.ok(sum < 1e-12);
});

test('steps to where the residuals are not finite are not taken, idle parameters stay', () => {
  const { params } = leastSquares(
    ([x]) => ({ values: Float64Array.of(Math.log(x!) - 2), jacobian: Float64Array.of(1 / x!, 0) }),
    [0.01, 7],
  );
  assert.ok(Math.abs(params[0]! - Math.exp(2)) < 1e-6, `${params}`);
  assert.is(params[1], 7);
});

test.run();
