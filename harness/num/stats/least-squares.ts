/** @file Nonlinear least squares by Levenberg and Marquardt, with exact derivatives (Nocedal & Wright 2006, section 10.3). */
import { cholesky, choleskySolve } from '../linalg.ts';

/** Residuals [m] and their derivatives [m, parameters], row by row. */
export interface Residuals {
  values: Float64Array;
  jacobian: Float64Array;
}

const MAX_STEPS = 500;
/** A step that lowers the sum of squares by less than this part of it, several times in a row, ends the search. */
const SMALL = 1e-12;
const PATIENCE = 3;
const DAMPING = { first: 1e-3, least: 1e-12, most: 1e12, up: 8, down: 3 };

/**
 * Parameters that make the sum of squared residuals least, near `start`. Steps that raise it are not taken.
 *
 * @param residualsAt Must be finite at the start; where it is not, a step is not taken.
 */
export function leastSquares(
  residualsAt: (params: Float64Array) => Residuals,
  start: ArrayLike<number>,
): { params: Float64Array; sum: number } {
  const size = start.length;
  let params = Float64Array.from(start);
  let at = residualsAt(params);
  let sum = sumOfSquares(at.values);
  let damping = DAMPING.first;
  let small = 0;
  for (let step = 0; step < MAX_STEPS && small < PATIENCE && damping <= DAMPING.most; step++) {
    const move = dampedStep(at, size, damping);
    const next = move && params.map((value, i) => value - move[i]!);
    const there = next && residualsAt(next);
    const lower = there ? sumOfSquares(there.values) : Infinity;
    if (!next || !there || !(lower <= sum)) {
      damping *= DAMPING.up;
      continue;
    }
    small = sum - lower <= SMALL * sum ? small + 1 : 0;
    [params, at, sum] = [next, there, lower];
    damping = Math.max(DAMPING.least, damping / DAMPING.down);
  }
  return { params, sum };
}

const sumOfSquares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);

/** (JᵀJ + λ diag JᵀJ)⁻¹ Jᵀr; undefined where rounding leaves no such step. */
function dampedStep({ values, jacobian }: Residuals, size: number, damping: number): Float64Array | undefined {
  const normal = new Float64Array(size * size);
  const gradient = new Float64Array(size);
  for (const [row, residual] of values.entries()) {
    for (let i = 0; i < size; i++) {
      const own = jacobian[row * size + i]!;
      gradient[i]! += own * residual;
      for (let j = 0; j < size; j++) normal[i * size + j]! += own * jacobian[row * size + j]!;
    }
  }
  for (let i = 0; i < size; i++) normal[i * size + i]! *= 1 + damping;
  // A parameter that the residuals do not depend on stays where it is.
  for (let i = 0; i < size; i++) if (normal[i * size + i] === 0) normal[i * size + i] = 1;
  try {
    return choleskySolve(cholesky(normal, size), gradient);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
