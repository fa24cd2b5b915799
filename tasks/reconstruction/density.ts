/** @file How often latents fire, as a histogram. */

/** Bins of a quarter of a decade from 10⁻⁷ to 1. */
const LOWEST = -7;
const PER_DECADE = 4;

/**
 * Number of latents by log10 of their density (share of positions at which they fire); x are the middles of the bins.
 * Latents that never fired are in no bin: `fraction_alive` counts them.
 */
export function densityHistogram(fires: Float64Array, positions: number): { x: number[]; y: number[] } {
  const bins = -LOWEST * PER_DECADE;
  const y = new Array<number>(bins).fill(0);
  for (const count of fires) {
    if (count === 0) continue;
    const bin = Math.floor((Math.log10(count / positions) - LOWEST) * PER_DECADE);
    y[Math.min(bins - 1, Math.max(0, bin))]!++;
  }
  return { x: y.map((_, bin) => LOWEST + (bin + 0.5) / PER_DECADE), y };
}
