/** @file Values by unit, from which two methods measured on the same units are compared in pairs. */

/** Blocks that the units of a ratio are folded into: enough for a t test, few enough to be kept with every result. */
const BLOCKS = 32;

/**
 * A ratio of sums over units as one value a block of units (unit number modulo the number of blocks): linear
 * pseudo-values, whose mean is the ratio and whose spread is that of the ratio's error. Empty where the denominators sum to 0.
 */
export function ratioSamples(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
  maxBlocks = BLOCKS,
): number[] {
  const blocks = Math.min(numerators.length, maxBlocks);
  const [tops, bottoms] = [new Float64Array(blocks), new Float64Array(blocks)];
  for (let i = 0; i < numerators.length; i++) {
    tops[i % blocks]! += numerators[i]!;
    bottoms[i % blocks]! += denominators[i]!;
  }
  const [top, bottom] = [tops, bottoms].map((values) => values.reduce((sum, value) => sum + value, 0)) as [
    number,
    number,
  ];
  if (bottom === 0) return [];
  const ratio = top / bottom;
  return Array.from(tops, (value, b) => ratio + (blocks * (value - ratio * bottoms[b]!)) / bottom);
}
