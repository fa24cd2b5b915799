/** @file The principal components of activations, and how many of them the rows determine. */
import type { ActivationSet } from '../contract/data.ts';
import { UserError } from '../errors.ts';
import { covariance, symmetricEigen } from '../num/linalg.ts';
import { createRng } from '../num/rng.ts';

/** Of a sample of kept rows. */
export interface PrincipalComponents {
  /** The sample, row-major [rows, d_in]. */
  x: Float32Array;
  rows: number;
  /** [d_in] */
  mean: Float64Array;
  /** [d_in], largest first; divisor rows − 1. */
  variances: Float64Array;
  /** Unit directions in their order, row-major [d_in, d_in]; the largest entry of each is positive. */
  directions: Float64Array;
  /** How many of them the rows determine; at least 1. */
  determined: number;
}

/**
 * Standard deviation of the last component that is kept, relative to the norm of the activations: they are float32 numbers
 * out of long sums, so that below it a component's direction is rounding and another instruction set finds another one.
 */
const DETERMINED = 1e-6;

/** How many components, in order of their variances, the rows determine. */
function determinedOf(variances: Float64Array, mean: Float64Array): number {
  const meanSquare = mean.reduce((sum, value) => sum + value * value, 0);
  const scale = variances.reduce((sum, value) => sum + Math.max(0, value), meanSquare);
  return variances.filter((variance) => variance > DETERMINED ** 2 * scale).length;
}

/**
 * Components of at most `most` kept rows, drawn without replacement, always the same: covariance and eigenvectors in float64.
 *
 * @throws UserError for fewer than 2 kept rows, and rows that are not finite or all the same.
 */
export async function principalComponents(
  method: string,
  activations: ActivationSet,
  most: number,
  progress: (done: number, total: number, note: string) => void,
): Promise<PrincipalComponents> {
  const kept = activations.keep.reduce((sum, keep) => sum + keep, 0);
  const rows = Math.min(kept, most);
  if (rows < 2)
    throw new UserError(`${method}: expected at least 2 kept positions, found ${rows}; collect more activations`);
  const sampleSeed = createRng(`${method}/rows`).int(2 ** 31);
  for await (const { x } of activations.shuffled(rows, sampleSeed)) {
    progress(0, 2, 'covariance');
    const { mean, covariance: matrix } = covariance(x, activations.d_in);
    if (!matrix.every(Number.isFinite))
      throw new UserError(`${method}: expected finite activations, found NaN or Infinity`);
    progress(1, 2, 'eigenvectors');
    const { values: variances, vectors: directions } = symmetricEigen(matrix, activations.d_in);
    const determined = determinedOf(variances, mean);
    if (determined === 0)
      throw new UserError(`${method}: expected activations that differ, found the same in all of ${rows} positions`);
    return { x, rows, mean, variances, directions, determined };
  }
  throw new Error('internal: the activations gave no batch');
}

/** The mark of a fit that has fewer components than were wanted, if it has. */
export function droppedMark(wanted: number, { rows, determined }: PrincipalComponents) {
  if (determined >= wanted) return [];
  const message = `${wanted - determined} of ${wanted} components dropped: ${rows} rows determine ${determined}.`;
  return [{ code: 'components-dropped', message }];
}
