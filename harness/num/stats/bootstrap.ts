/** @file Percentile bootstrap confidence intervals, also by cluster, since tokens of one document are not independent. */
import type { Rng } from '../rng.ts';
import { sortedQuantile } from './quantiles.ts';

/** Options of every bootstrap. */
export interface BootstrapOptions {
  /** Default 1000. */
  resamples?: number;
  /** Coverage of the interval. Default 0.95. */
  confidence?: number;
}

/** Options of those that take a value for each item. */
export interface ClusterOptions extends BootstrapOptions {
  /** A cluster number for each value, for example its document: whole clusters are drawn, and n counts clusters. */
  clusters?: ArrayLike<number>;
}

/** An estimate with its interval. `ci` is null when it cannot be had (fewer than two units). */
export interface Estimate {
  value: number;
  ci: [low: number, high: number] | null;
  /** Independent units resampled: values, or clusters where clusters were given. */
  n: number;
}

/** Draws held at a time: 4 MiB. */
const DRAWS = 2 ** 20;

/** Adds the drawn rows of `columns` to the sums of each resample. */
function addDrawn(columns: Float64Array, width: number, drawn: Uint32Array, n: number, sums: Float64Array): void {
  if (width === 1) {
    for (let r = 0, i = 0; r < sums.length; r++) {
      let sum = 0;
      for (const end = i + n; i < end; i++) sum += columns[drawn[i]!]!;
      sums[r] = sum;
    }
    return;
  }
  for (let to = 0, i = 0; to < sums.length; to += width) {
    for (const end = i + n; i < end; i++) {
      for (let c = 0, at = drawn[i]! * width; c < width; c++, at++) sums[to + c]! += columns[at]!;
    }
  }
}

/**
 * Sums over each resample of `n` units: row r of the result [resamples, width] sums the drawn rows of `columns`
 * [n, width] in the order of the draws.
 */
export function resampledSums(columns: Float64Array, width: number, rng: Rng, resamples: number): Float64Array {
  const n = columns.length / width;
  const sums = new Float64Array(resamples * width);
  const atOnce = Math.min(resamples, Math.max(1, Math.floor(DRAWS / n)));
  const drawn = new Uint32Array(atOnce * n);
  for (let first = 0; first < resamples; first += atOnce) {
    const count = Math.min(atOnce, resamples - first);
    rng.fillInt(drawn.subarray(0, count * n), n);
    addDrawn(columns, width, drawn, n, sums.subarray(first * width, (first + count) * width));
  }
  return sums;
}

/** The sums over all units, once each. */
export function columnSums(columns: Float64Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let at = 0; at < columns.length; at += width) for (let c = 0; c < width; c++) sums[c]! += columns[at + c]!;
  return sums;
}

function interval(sorted: Float64Array, confidence: number): [number, number] | null {
  const tail = (1 - confidence) / 2;
  return sorted.length === 0 ? null : [sortedQuantile(sorted, tail), sortedQuantile(sorted, 1 - tail)];
}

/**
 * Bootstrap of statistics that are functions of sums over units, all on the same resamples.
 *
 * @param columns what is summed, [n, width]
 * @param statistics of the sums (one array for all calls) over all units (`resample` is null) or over the units of one resample; one that is null (or
 *   not finite) for all units is null, and resamples that leave it so are left out of its interval
 */
export function bootstrapSums<K extends string>(
  columns: Float64Array,
  width: number,
  statistics: (sums: Float64Array, resample: number | null) => Record<K, number | null>,
  rng: Rng,
  options: BootstrapOptions = {},
): Record<K, Estimate | null> {
  const { resamples = 1000, confidence = 0.95 } = options;
  const n = columns.length / width;
  const point = statistics(columnSums(columns, width), null);
  const names = Object.keys(point) as K[];
  const defined = (value: number | null): value is number => value !== null && Number.isFinite(value);
  const draws = names.map(() => [] as number[]);
  const sums = n > 1 ? resampledSums(columns, width, rng, resamples) : new Float64Array(0);
  const row = new Float64Array(width);
  for (let r = 0; r * width < sums.length; r++) {
    for (let c = 0; c < width; c++) row[c] = sums[r * width + c]!;
    const values = statistics(row, r);
    names.forEach((name, s) => {
      if (defined(values[name])) draws[s]!.push(values[name]);
    });
  }
  const estimate = (name: K, s: number): Estimate | null => {
    const value = point[name];
    if (!defined(value)) return null;
    return { value, ci: n < 2 ? null : interval(Float64Array.from(draws[s]!).sort(), confidence), n };
  };
  return Object.fromEntries(names.map((name, s) => [name, estimate(name, s)])) as Record<K, Estimate | null>;
}

/** Σ numerator / Σ denominator over units: a mean by cluster is (sums, counts). Null where the denominators sum to 0. */
export function bootstrapRatio(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
  rng: Rng,
  options: BootstrapOptions = {},
): Estimate | null {
  const columns = new Float64Array(2 * numerators.length);
  for (let i = 0; i < numerators.length; i++) columns.set([numerators[i]!, denominators[i]!], 2 * i);
  const ratio = (sums: Float64Array) => ({ ratio: sums[1] === 0 ? null : sums[0]! / sums[1]! });
  return bootstrapSums(columns, 2, ratio, rng, options).ratio;
}

/** Sums and counts of `values` by cluster, clusters in order of appearance. */
function byCluster(values: ArrayLike<number>, clusters: ArrayLike<number>): { sums: number[]; counts: number[] } {
  if (clusters.length !== values.length) {
    throw new RangeError(`bootstrap: ${values.length} values with ${clusters.length} cluster numbers`);
  }
  const slots = new Map<number, number>();
  const [sums, counts]: [number[], number[]] = [[], []];
  for (let i = 0; i < values.length; i++) {
    const slot = slots.get(clusters[i]!) ?? slots.size;
    slots.set(clusters[i]!, slot);
    sums[slot] = (sums[slot] ?? 0) + values[i]!;
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  return { sums, counts };
}

/** Bootstrap of a mean, by cluster where clusters are given; null of nothing. */
export function bootstrapMean(values: ArrayLike<number>, rng: Rng, options: ClusterOptions = {}): Estimate | null {
  if (options.clusters) {
    const { sums, counts } = byCluster(values, options.clusters);
    return bootstrapRatio(sums, counts, rng, options);
  }
  const mean = (sums: Float64Array) => ({ mean: sums[0]! / values.length });
  return bootstrapSums(Float64Array.from(values), 1, mean, rng, options).mean;
}
