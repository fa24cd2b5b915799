/**
 * @file 95 % intervals of means and of ratios of sums over independent units: Student's t with Hall's correction for
 * skewness. Units that are not independent (tokens of one document) are summed by cluster first.
 *
 * Coverage by simulation (coverage.md beside this file, written by `npm run coverage`): 95 % for normal data from 5 units
 * on; for exponential and AUROC-like data 91 to 95 % at 5 and 10 units and 94 to 96 % from 20 on. Very heavy tails are not
 * covered, which no interval from a few values can: see the table.
 *
 * Values that are all equal show no spread, but do not show that there is none: see {@link equalBounds}.
 */
import { momentsOf } from './moments.ts';
import { type ItemInfluences, sharedPart } from './shared-items.ts';
import { studentQuantile } from './student-t.ts';

/** An estimate with its interval. `ci` is null when it cannot be had (fewer than two units). */
export interface Estimate {
  value: number;
  ci: [low: number, high: number] | null;
  /** Independent units: values, or clusters. */
  n: number;
}

/** Where a metric ends; null: open. An interval never passes it. */
export type Range = readonly [low: number | null, high: number | null];

const OPEN: Range = [null, null];
const CONFIDENCE = 0.95;
/**
 * Largest t·(γ + …) that the correction is trusted with. At 1 the transformation's inverse is vertical: from eight values of
 * which one is not 0 it gave bounds of 7.5 standard errors. Coverage stays what it was (coverage.md).
 */
const STEEPEST = 0.98;
/** Deviations below this, relative to the value, are rounding: the values are equal. */
const EQUAL = 1e-12;
/** Skewness below which the correction is less than rounding. */
const STRAIGHT = 1e-9;

function within([low, high]: [number, number], [lowest, highest]: Range): [number, number] {
  return [Math.max(low, lowest ?? -Infinity), Math.min(high, highest ?? Infinity)];
}

const quantileOf = (df: number): number => studentQuantile((1 + CONFIDENCE) / 2, df);

/**
 * Bounds of value ÷ se for `n` units with the given skewness: the quantiles of t, bent back through Hall's monotone
 * transformation x + γx²/3 + γ²x³/27 + γ/6 with γ = skewness ÷ √n (Hall 1992, On the removal of skewness by transformation).
 */
function bounds(n: number, skewness: number): [low: number, high: number] {
  const t = quantileOf(n - 1);
  // The γ at which γ·(t + γ/6) is STEEPEST.
  const most = 3 * (Math.sqrt(t * t + (2 / 3) * STEEPEST) - t);
  const bend = Math.sign(skewness) * Math.min(Math.abs(skewness) / Math.sqrt(n), most);
  if (Math.abs(bend) < STRAIGHT) return [-t, t];
  const back = (x: number) => (3 / bend) * (Math.cbrt(1 + bend * (x - bend / 6)) - 1);
  return [-back(t), -back(-t)];
}

/** What the contributions of units, which deviate from their mean by `deviations`, make of its error. */
function errorOf(deviations: Float64Array): { se: number; skewness: number } {
  const n = deviations.length;
  let [square, cube] = [0, 0];
  for (const deviation of deviations) {
    square += deviation * deviation;
    cube += deviation * deviation * deviation;
  }
  return { se: Math.sqrt(square / (n * (n - 1))), skewness: square === 0 ? 0 : cube / n / (square / n) ** 1.5 };
}

/**
 * The interval of `n` values that are all equal: other values make up at most a share p of the population, where n draws
 * would miss them with probability (1 − p)ⁿ = 0.025 (Clopper & Pearson 1934; the "rule of three"), and they lie within the
 * metric's range. None where the range is open: then nothing bounds what was not seen.
 */
function equalBounds(value: number, n: number, [low, high]: Range): [number, number] | null {
  if (low === null || high === null) return null;
  const share = 1 - ((1 - CONFIDENCE) / 2) ** (1 / n);
  return [value - share * (value - low), value + share * (high - value)];
}

/** Whether deviations from a mean are none but for rounding. */
const noSpread = (deviations: Float64Array, value: number): boolean =>
  deviations.every((each) => Math.abs(each) <= EQUAL * Math.max(1, Math.abs(value)));

/**
 * The mean of independent values with its 95 % interval; null of nothing, `ci` null of one value and of equal ones that
 * nothing bounds.
 */
export function meanInterval(values: ArrayLike<number>, range: Range = OPEN): Estimate | null {
  if (values.length === 0) return null;
  const { mean: value, n } = momentsOf(values);
  if (n < 2) return { value, ci: null, n };
  const deviations = Float64Array.from(values, (each) => each - value);
  if (noSpread(deviations, value)) return { value, ci: equalBounds(value, n, range), n };
  const { se, skewness } = errorOf(deviations);
  const [low, high] = bounds(n, skewness);
  return { value, ci: within([value + low * se, value + high * se], range), n };
}

/**
 * Σ numerators ÷ Σ denominators over independent units with its 95 % interval: a mean by cluster is (sums, counts). The
 * deviation of a unit is what leaving it out changes (jackknife), and the degrees of freedom are those of the effective
 * number of units, (Σ denominators)² ÷ Σ denominators² (Kish), so that units of unequal size count as they should. Of t and
 * its correction the wider bound is taken on each side: with few unequal units the skewness is too uncertain to narrow
 * an interval by. Null where the denominators sum to 0, `ci` null of one unit.
 */
export function ratioInterval(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
  range: Range = OPEN,
): Estimate | null {
  const n = numerators.length;
  let [top, bottom] = [0, 0];
  for (let i = 0; i < n; i++) {
    top += numerators[i]!;
    bottom += denominators[i]!;
  }
  if (bottom === 0) return null;
  const value = top / bottom;
  if (n < 2) return { value, ci: null, n };
  let squares = 0;
  const deviations = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const left = bottom - denominators[i]!;
    squares += denominators[i]! ** 2;
    // A unit that carries the whole denominator deviates from nothing.
    if (left !== 0) deviations[i] = ((n - 1) * (numerators[i]! - value * denominators[i]!)) / left;
  }
  const effective = Math.min(n, Math.max(2, bottom ** 2 / squares));
  if (noSpread(deviations, value)) return { value, ci: equalBounds(value, effective, range), n };
  const { se, skewness } = errorOf(deviations);
  const [low, high] = bounds(effective, skewness);
  const t = quantileOf(effective - 1);
  return { value, ci: within([value + Math.min(low, -t) * se, value + Math.max(high, t) * se], range), n };
}

/** Sums and counts of `values` by cluster, clusters in order of appearance, for {@link ratioInterval}. */
export function byCluster(
  values: ArrayLike<number>,
  clusters: ArrayLike<number>,
): { sums: number[]; counts: number[] } {
  if (clusters.length !== values.length) {
    throw new RangeError(`interval: ${values.length} values with ${clusters.length} cluster numbers`);
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

/**
 * An interval widened by a second, independent source of error (seeds beside examples, shared items beside concepts)
 * of variance `variance` and `df` degrees of freedom: the distances of the bounds add in squares (MOVER: Zou & Donner
 * 2008). `ci` null counts as no error of its own.
 */
export function widenInterval(
  { value, ci, n }: Estimate,
  variance: number,
  df: number,
  range: Range = OPEN,
): Estimate & { ci: [number, number] } {
  const [low, high] = ci ?? [value, value];
  const half = variance > 0 ? quantileOf(df) * Math.sqrt(variance) : 0;
  return {
    value,
    ci: within([value - Math.hypot(value - low, half), value + Math.hypot(high - value, half)], range),
    n,
  };
}

/**
 * The mean of scores (of concepts) that share items, with an interval over both: where concepts meet the same prompts,
 * images or negatives, others of those would have moved all scores together.
 *
 * @param influences Of the items on each score.
 * @param items Number of items.
 */
export function crossedInterval(
  values: readonly number[],
  influences: readonly ItemInfluences[],
  items: number,
  range: Range = OPEN,
): Estimate | null {
  const estimate = meanInterval(values, range);
  const shared = sharedPart(influences, items);
  return estimate && shared ? widenInterval(estimate, shared.variance, shared.df, range) : estimate;
}
