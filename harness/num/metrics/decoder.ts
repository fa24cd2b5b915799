/** @file Geometry of dictionaries: cosines between atoms, of one or two dictionaries. Needs a backend for the products. */
import { type Tensor2D, tf } from '../tf.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

/** Atoms compared at a time: bounds the block of cosines to this many rows. */
const BLOCK = 1024;

/** Euclidean norm of each row of `matrix` [rows, dim], in float64. */
export function rowNorms(matrix: Float32Array, rows: number): Float64Array {
  const dim = matrix.length / rows;
  if (!Number.isInteger(dim)) throw new RangeError(`${matrix.length} values are not ${rows} rows`);
  const norms = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let squared = 0;
    for (let c = 0; c < dim; c++) squared += matrix[i * dim + c]! ** 2;
    norms[i] = Math.sqrt(squared);
  }
  return norms;
}

/** Rows scaled to norm 1; a zero row stays zero, so all its cosines are 0. */
function unitTensor(matrix: Float32Array, rows: number): Tensor2D {
  const dim = matrix.length / rows;
  const norms = rowNorms(matrix, rows);
  const unit = matrix.map((value, i) => value / (norms[Math.floor(i / dim)]! || 1));
  return tf.tensor2d(unit, [rows, dim]);
}

/**
 * For each row of `a` [rowsA, dim] the greatest cosine with a row of `b` [rowsB, dim]. With `b` left out: with another
 * row of `a` (max_decoder_cosine_sim of SAEBench); -1 where there is no other.
 */
export function maxCosine(a: Float32Array, rowsA: number, b?: Float32Array, rowsB = rowsA): Float64Array {
  const best = new Float64Array(rowsA).fill(-1);
  tf.tidy(() => {
    const unitA = unitTensor(a, rowsA);
    const unitB = b ? unitTensor(b, rowsB) : unitA;
    for (let start = 0; start < rowsA; start += BLOCK) {
      const rows = Math.min(BLOCK, rowsA - start);
      const product = tf.tidy(() => tf.matMul(tf.slice(unitA, start, rows), unitB, false, true));
      // Read outside of the inner tidy, which would walk over a returned array value by value.
      const cosines = product.dataSync();
      product.dispose();
      const width = unitB.shape[0];
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < width; j++) {
          if (!b && j === start + i) continue;
          if (cosines[i * width + j]! > best[start + i]!) best[start + i] = cosines[i * width + j]!;
        }
      }
    }
  });
  return best;
}

/** Cosine of row i of `a` with row i of `b`, both [rows, dim]; 0 where either is zero. */
export function pairedCosine(a: Float32Array, b: Float32Array, rows: number): Float64Array {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
  const dim = a.length / rows;
  const [normsA, normsB] = [rowNorms(a, rows), rowNorms(b, rows)];
  return Float64Array.from({ length: rows }, (_, i) => {
    let dot = 0;
    for (let c = 0; c < dim; c++) dot += a[i * dim + c]! * b[i * dim + c]!;
    return dot / (normsA[i]! * normsB[i]! || 1);
  });
}
