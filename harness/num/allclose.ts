/** @file Comparison of numbers within a tolerance, for tests. */

/** |actual - expected| <= atol + rtol·|expected| must hold for every element. */
export interface Tolerance {
  /** Default 1e-5. */
  rtol?: number;
  /** Default 1e-6. */
  atol?: number;
}

/**
 * Throws, naming the worst element, when two lists differ in length or by more than the tolerance. NaN equals only NaN,
 * an infinity only itself.
 */
export function allclose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance = {},
  what = 'values',
): void {
  const { rtol = 1e-5, atol = 1e-6 } = tolerance;
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements, expected ${expected.length}`);
  }
  let worst = -1;
  let worstExcess = 0;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e) continue;
    const excess = Math.abs(a - e) - (atol + rtol * Math.abs(e));
    if (excess <= 0) continue;
    if (worst < 0 || Number.isNaN(excess) || excess > worstExcess) {
      worst = i;
      worstExcess = Number.isNaN(excess) ? Infinity : excess;
    }
  }
  if (worst >= 0) {
    throw new Error(
      `${what}: element ${worst} is ${actual[worst]}, expected ${expected[worst]} (worst of those that differ)`,
    );
  }
}
