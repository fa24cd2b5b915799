/** @file Active dimensions of a code (Lu et al. 2025): how many of its latents carry the input. */

export const version = 1;

/**
 * Which latents of a code [d_sae] are active. Of a code with zeros, all others. Where none is zero, those of the larger
 * class of ln|f|, split in two so that the squared deviations from the means of the two are smallest, as the authors do.
 */
export function activeDimensions(code: ArrayLike<number>): number[] {
  const indices = Array.from({ length: code.length }, (_, i) => i);
  const active = indices.filter((i) => code[i] !== 0);
  if (active.length < code.length || code.length < 2) return active;
  const logs = indices.map((i) => Math.log(Math.abs(code[i]!)));
  const threshold = largestOfLower(logs);
  return indices.filter((i) => logs[i]! > threshold);
}

/** The largest value of the lower class; −∞ where all are equal, and one class. */
function largestOfLower(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const total = sorted.reduce((sum, value) => sum + value, 0);
  // Σ of squared deviations within = a constant − Σ² / n of each class.
  let [lower, best, threshold] = [0, -Infinity, -Infinity];
  for (let count = 1; count < n; count++) {
    lower += sorted[count - 1]!;
    if (sorted[count] === sorted[count - 1]) continue;
    const between = lower ** 2 / count + (total - lower) ** 2 / (n - count);
    if (between > best) [best, threshold] = [between, sorted[count - 1]!];
  }
  return threshold;
}
