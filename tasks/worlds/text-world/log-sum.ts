/** @file Sums of probabilities that are kept as logarithms. */

/** ln Σ exp(values); −∞ of none. */
export function logSum(values: ArrayLike<number>): number {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  if (most === -Infinity) return most;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - most);
  return most + Math.log(sum);
}

/** For each place, the `logSum` of all other places: by sums from both ends, since a difference would cancel. */
export function sumsOfOthers(values: Float64Array): Float64Array {
  const out = new Float64Array(values.length).fill(-Infinity);
  let sum = -Infinity;
  for (let i = 0; i < values.length; i++) {
    out[i] = sum;
    sum = logSum([sum, values[i]!]);
  }
  sum = -Infinity;
  for (let i = values.length - 1; i >= 0; i--) {
    out[i] = logSum([out[i]!, sum]);
    sum = logSum([sum, values[i]!]);
  }
  return out;
}
