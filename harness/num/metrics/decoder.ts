/** @file Geometry of dictionaries: cosines between atoms. Needs a backend for the products. */
import { type Tensor2D, tf } from '../tf.ts';
import { unitNormRows } from '../unit-rows.ts';

/** Version of this definition, recorded with results. */
export const version = 1;

/** Atoms compared at a time: bounds the block of cosines to this many rows. */
const BLOCK = 1024;

/**
 * For each row of `atoms` [rows, dim] the greatest cosine with another row (max_decoder_cosine_sim of SAEBench): near 1
 * where the dictionary has the atom twice, or split. A zero row has the cosine 0 with every other; -1 where there is no
 * other row.
 */
export function maxCosine(atoms: Float32Array, rows: number): Float64Array {
  const dim = atoms.length / rows;
  if (!Number.isInteger(dim)) throw new RangeError(`${atoms.length} values are not ${rows} rows`);
  const best = new Float64Array(rows).fill(-1);
  tf.tidy(() => {
    const unit = unitNormRows(tf.tensor2d(atoms, [rows, dim]));
    for (let start = 0; start < rows; start += BLOCK) {
      const height = Math.min(BLOCK, rows - start);
      const product = tf.tidy(() => tf.matMul(tf.slice(unit, start, height) as Tensor2D, unit, false, true));
      // Read outside of the inner tidy, which would walk over a returned array value by value.
      const cosines = product.dataSync();
      product.dispose();
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < rows; j++) {
          if (j !== start + i && cosines[i * rows + j]! > best[start + i]!) best[start + i] = cosines[i * rows + j]!;
        }
      }
    }
  });
  return best;
}

/** Mean over true directions of the largest cosine with any found one (both unit rows of width d). */
export function meanMaxCosine(truth: Float32Array, found: Float32Array, d: number): number {
  let total = 0;
  for (let t = 0; t < truth.length; t += d) {
    let best = -1;
    for (let f = 0; f < found.length; f += d) {
      let dot = 0;
      for (let j = 0; j < d; j++) dot += truth[t + j]! * found[f + j]!;
      best = Math.max(best, dot);
    }
    total += best;
  }
  return total / (truth.length / d);
}
