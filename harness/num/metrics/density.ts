/** @file The distribution of firing rates over latents. */
import { type Histogram, histogram } from '../stats/histogram.ts';

/** Version of this definition, recorded with results. */
export const version = 1;

/** Histogram of log10 density; latents that never fire have no logarithm and are counted apart. */
export interface DensityHistogram extends Histogram {
  /** Latents with density 0. */
  dead: number;
}

/** From 1e-`decades` to 1, four bins a decade. */
export function densityHistogram(densities: ArrayLike<number>, decades = 6): DensityHistogram {
  const alive = Array.from(densities).filter((p) => p > 0);
  const logs = alive.map((p) => Math.log10(p));
  return { ...histogram(logs, -decades, 0, 4 * decades), dead: densities.length - alive.length };
}
