/** @file The distribution of firing rates over latents. */

/** Version of this definition, recorded with results. */
export const version = 1;

/** Counts of values in [edges[i], edges[i+1]); the last bin also takes its right edge. */
export interface Histogram {
  /** bins + 1 ascending edges. */
  edges: number[];
  counts: number[];
  /** Values below the first and above the last edge. */
  below: number;
  above: number;
}

/** A histogram of `bins` equal bins from `low` to `high`. NaN counts as nothing. */
export function histogram(values: ArrayLike<number>, low: number, high: number, bins: number): Histogram {
  if (!(high > low) || !Number.isInteger(bins) || bins < 1) {
    throw new RangeError(`histogram: needs low < high and at least 1 bin, got [${low}, ${high}] and ${bins}`);
  }
  const width = (high - low) / bins;
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + i * width));
  const counts = new Array<number>(bins).fill(0);
  let [below, above] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) below++;
    else if (value > high) above++;
    else if (value <= high) counts[Math.min(bins - 1, Math.floor((value - low) / width))]!++;
  }
  return { edges, counts, below, above };
}

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
