/** @file The geometric median, from which TopK and ReLU SAEs initialise b_dec. */

/** When the iteration stops. */
export interface WeiszfeldOptions {
  /** Stops once the summed distance changes by less than this fraction. Default 1e-5. */
  tolerance?: number;
  /** Default 100. */
  maxIterations?: number;
}

/**
 * The point with the least summed distance to all rows of `x` [n, d], by Weiszfeld's iteration from the mean, in
 * float64 (as dictionary_learning and openai/sparse_autoencoder initialise b_dec).
 *
 * @throws RangeError when there is no row
 */
export function geometricMedian(x: Float32Array, d: number, options: WeiszfeldOptions = {}): Float32Array {
  const { tolerance = 1e-5, maxIterations = 100 } = options;
  const n = x.length / d;
  if (!Number.isInteger(n) || n === 0) throw new RangeError(`geometric median: ${x.length} values are no rows of ${d}`);
  const point = new Float64Array(d);
  const weights = new Float64Array(n).fill(1);
  let previous = Infinity;
  for (let iteration = 0; iteration <= maxIterations; iteration++) {
    weightedMean(x, weights, point);
    let total = 0;
    for (let i = 0; i < n; i++) {
      let squared = 0;
      for (let j = 0; j < d; j++) squared += (x[i * d + j]! - point[j]!) ** 2;
      const distance = Math.sqrt(squared);
      total += distance;
      // A row on which the point lies would get infinite weight.
      weights[i] = 1 / Math.max(distance, 1e-12);
    }
    if (Math.abs(previous - total) <= tolerance * total) break;
    previous = total;
  }
  return Float32Array.from(point);
}

function weightedMean(x: Float32Array, weights: Float64Array, out: Float64Array): void {
  const d = out.length;
  out.fill(0);
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    total += weight;
    for (let j = 0; j < d; j++) out[j]! += weight * x[i * d + j]!;
  }
  for (let j = 0; j < d; j++) out[j]! /= total;
}
