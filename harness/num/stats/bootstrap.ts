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

type Statistic = (units: Uint32Array) => number | null;

/** The statistic of each resample, ascending, without those where it is undefined. */
function resample(n: number, statistic: Statistic, rng: Rng, resamples: number): Float64Array {
  const draws: number[] = [];
  const drawn = new Uint32Array(n);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < n; i++) drawn[i] = rng.int(n);
    const outcome = statistic(drawn);
    if (outcome !== null) draws.push(outcome);
  }
  return Float64Array.from(draws).sort();
}

function interval(sorted: Float64Array, confidence: number): [number, number] | null {
  const tail = (1 - confidence) / 2;
  return sorted.length === 0 ? null : [sortedQuantile(sorted, tail), sortedQuantile(sorted, 1 - tail)];
}

/**
 * Bootstrap of any statistic of `n` units. `statistic` gets the drawn unit numbers (with repeats) and may return null
 * where the draw leaves it undefined (for example only one class); such draws are left out.
 *
 * @returns null when the statistic of all units is itself undefined
 */
export function bootstrap(n: number, statistic: Statistic, rng: Rng, options: BootstrapOptions = {}): Estimate | null {
  const { resamples = 1000, confidence = 0.95 } = options;
  const value = n === 0 ? null : statistic(Uint32Array.from({ length: n }, (_, i) => i));
  if (value === null) return null;
  return { value, ci: n < 2 ? null : interval(resample(n, statistic, rng, resamples), confidence), n };
}

/**
 * Bootstrap of several statistics of `n` units on the same resamples: they are drawn once. A statistic that is null (or
 * not finite) for all units is null; resamples that leave it so are left out of its interval.
 */
export function bootstrapTogether<K extends string>(
  n: number,
  statistics: (units: Uint32Array) => Record<K, number | null>,
  rng: Rng,
  options: BootstrapOptions = {},
): Record<K, Estimate | null> {
  const { resamples = 1000, confidence = 0.95 } = options;
  const point = statistics(Uint32Array.from({ length: n }, (_, i) => i));
  const names = Object.keys(point) as K[];
  const defined = (value: number | null): value is number => value !== null && Number.isFinite(value);
  const draws = names.map(() => [] as number[]);
  const drawn = new Uint32Array(n);
  for (let r = 0; n > 1 && r < resamples; r++) {
    for (let i = 0; i < n; i++) drawn[i] = rng.int(n);
    const values = statistics(drawn);
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

function ratio(numerators: ArrayLike<number>, denominators: ArrayLike<number>): Statistic {
  return (units) => {
    let [top, bottom] = [0, 0];
    for (const unit of units) {
      top += numerators[unit]!;
      bottom += denominators[unit]!;
    }
    return bottom === 0 ? null : top / bottom;
  };
}

/** Σ numerator / Σ denominator over units: a mean by cluster is (sums, counts). Null where the denominators sum to 0. */
export function bootstrapRatio(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
  rng: Rng,
  options: BootstrapOptions = {},
): Estimate | null {
  return bootstrap(numerators.length, ratio(numerators, denominators), rng, options);
}

/** Sums and counts of `values` by cluster, clusters in order of appearance; without clusters each value is its own. */
function byCluster(values: ArrayLike<number>, clusters?: ArrayLike<number>): { sums: number[]; counts: number[] } {
  if (!clusters) return { sums: Array.from(values), counts: new Array(values.length).fill(1) };
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
  const { sums, counts } = byCluster(values, options.clusters);
  return bootstrapRatio(sums, counts, rng, options);
}
