/** @file Thresholds dense directions to a firing rate, so that neurons and PCA can be compared with sparse latents. */
import type { Csr } from './csr.ts';

/**
 * ReLU(a - θ) for each column of dense activations, with θ of each column set so that it fires on `round(rate · n)`
 * items (fewer where values tie). Does not depend on the column's offset: without this control most of the gap in MS
 * between neurons and latents is an artefact of density.
 *
 * @param activations [n, d] row-major
 * @param rate share of items on which each column shall fire, in [0, 1]
 */
export function thresholdToRate(activations: Float32Array, n: number, d: number, rate: number): Csr {
  if (activations.length !== n * d)
    throw new RangeError(`threshold: ${activations.length} values are not [${n}, ${d}]`);
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`threshold: rate must be in [0, 1], got ${rate}`);
  const fires = Math.min(Math.round(rate * n), n - 1);
  const thresholds = new Float64Array(d);
  const column = new Float32Array(n);
  for (let f = 0; f < d; f++) {
    for (let i = 0; i < n; i++) column[i] = activations[i * d + f]!;
    thresholds[f] = column.sort()[n - 1 - fires] ?? 0;
  }
  const indptr = new Uint32Array(n + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let f = 0; f < d; f++) {
      const value = activations[i * d + f]! - thresholds[f]!;
      if (value > 0) {
        indices.push(f);
        values.push(value);
      }
    }
    indptr[i + 1] = indices.length;
  }
  return { n, d_sae: d, indptr, indices: Uint32Array.from(indices), values: Float32Array.from(values) };
}
