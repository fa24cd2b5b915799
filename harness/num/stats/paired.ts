/** @file Whether two methods differ: by paired differences over the same units and seeds, or between seeds of either. */
import { momentsOf, variance } from './moments.ts';
import { type ItemInfluences, sharedPart } from './shared-items.ts';
import { studentCdf, studentQuantile } from './student-t.ts';

/** What one seed of a method gave. */
export interface Sampled {
  seed: number;
  value: number;
  /** Values by name of the unit (concept, block of documents), whose mean is `value`; where the task gives them. */
  units?: ReadonlyMap<string, number>;
  /** Where units share items: what each block of items adds to the error of `value`. */
  shared?: readonly number[];
  /** The same by name of the unit: what each block of items adds to the error of the unit's value. */
  sharedBy?: ReadonlyMap<string, readonly number[]>;
}

export interface Difference {
  /** Mean of the first less the second, over common units and seeds. */
  value: number;
  /** Two-sided p of no difference. */
  p: number;
  /** Standard error of the difference and its degrees of freedom; absent where all differences are equal. */
  error?: { se: number; df: number };
  /** What makes up that error: units, seeds, shared items; none where all differences are equal. */
  parts: readonly ErrorPart[];
}

/** A source of error of a mean: its variance and degrees of freedom. */
export interface ErrorPart {
  variance: number;
  df: number;
}

/** Seeds of both, in pairs; a method that was fitted once stands beside every seed of the other. */
function seedPairs(a: readonly Sampled[], b: readonly Sampled[]): [Sampled, Sampled][] {
  if (a.length === 1) return b.map((other) => [a[0]!, other]);
  if (b.length === 1) return a.map((one) => [one, b[0]!]);
  return a.flatMap((one) => {
    const other = b.find(({ seed }) => seed === one.seed);
    return other ? [[one, other] as [Sampled, Sampled]] : [];
  });
}

function errorOfMean(values: readonly number[]): ErrorPart {
  return { variance: variance(momentsOf(values))! / values.length, df: values.length - 1 };
}

const commonUnits = (pairs: readonly [Sampled, Sampled][]): string[] =>
  [...(pairs[0]![0].units?.keys() ?? [])].filter((name) =>
    pairs.every(([a, b]) => a.units?.has(name) && b.units?.has(name)),
  );

/** Of the mean difference over units, from its mean over seeds at each unit that all of them have. */
function unitDifferences(pairs: readonly [Sampled, Sampled][]): number[] {
  return commonUnits(pairs).map(
    (name) => pairs.reduce((sum, [a, b]) => sum + a.units!.get(name)! - b.units!.get(name)!, 0) / pairs.length,
  );
}

type Side = 0 | 1;

/** What each block of items adds to something, on average over pairs; undefined where not all have as many blocks. */
function meanBlocks(
  pairs: readonly [Sampled, Sampled][],
  blocksOf: (one: Sampled) => readonly number[] | undefined,
  signs: readonly [side: Side, sign: number][],
): number[] | undefined {
  const all = pairs.map((pair) => signs.map(([side, sign]) => ({ blocks: blocksOf(pair[side]), sign })));
  const length = all[0]?.[0]?.blocks?.length ?? 0;
  if (all.flat().some(({ blocks }) => blocks?.length !== length)) return undefined;
  const added = (own: (typeof all)[number], b: number) =>
    own.reduce((sum, { blocks, sign }) => sum + sign * blocks![b]!, 0);
  return Array.from({ length }, (_, b) => all.reduce((sum, own) => sum + added(own, b), 0) / pairs.length);
}

/** Of the given sides' shared items, at each common unit where units have their own. */
function sharedPartOf(
  pairs: readonly [Sampled, Sampled][],
  signs: readonly [side: Side, sign: number][],
): ErrorPart | 'other items' | undefined {
  if (pairs.flat().every(({ sharedBy }) => sharedBy !== undefined)) {
    const influences: ItemInfluences[] = [];
    for (const name of commonUnits(pairs)) {
      const values = meanBlocks(pairs, ({ sharedBy }) => sharedBy!.get(name), signs);
      if (!values) return 'other items';
      influences.push({ items: values.map((_, i) => i), values });
    }
    return sharedPart(influences, influences[0]?.values.length ?? 0);
  }
  if (!pairs.flat().every(({ shared }) => shared !== undefined && shared.length > 1)) return undefined;
  const means = meanBlocks(pairs, ({ shared }) => shared, signs);
  if (!means) return 'other items';
  const squares = means.reduce((sum, mean) => sum + mean * mean, 0);
  return { variance: (squares * means.length) / (means.length - 1), df: means.length - 1 };
}

/**
 * Of shared items: from what each block adds to the difference where both sides have the same, else from what each side's own add
 * to its value: items that only one side has are no reason for both to err alike.
 */
function sharedErrors(pairs: readonly [Sampled, Sampled][]): ErrorPart[] {
  const both = sharedPartOf(pairs, [
    [0, 1],
    [1, -1],
  ]);
  const parts = both === 'other items' ? ([0, 1] as const).map((side) => sharedPartOf(pairs, [[side, 1]])) : [both];
  return parts.flatMap((part) => (part === undefined || part === 'other items' ? [] : [part]));
}

/**
 * Student's t on the mean difference over pairs.
 *
 * @param seeds What the seeds add to its error; undefined where nothing is known of them.
 * @param arrangements Of the seeds, that would show differences which are all equal by chance.
 */
function differenceOver(
  pairs: readonly [Sampled, Sampled][],
  seeds: ErrorPart | undefined,
  arrangements: number,
): Difference | null {
  const units = unitDifferences(pairs);
  const bySeed = pairs.map(([one, other]) => one.value - other.value);
  const parts: ErrorPart[] = [];
  if (units.length > 1) parts.push(errorOfMean(units));
  if (seeds) parts.push(seeds);
  if (parts.length === 0) return null;
  parts.push(...sharedErrors(pairs));
  const tested = units.length > 1 ? units : bySeed;
  const value = tested.reduce((sum, each) => sum + each, 0) / tested.length;
  const total = parts.reduce((sum, part) => sum + part.variance, 0);
  // Differences that are all equal show no spread, which does not prove that there is none: a sign test is what is left.
  if (total === 0) {
    const chance = units.length > 1 ? 2 ** (1 - units.length) : 2 / arrangements;
    return { value, p: value === 0 ? 1 : chance, parts: [] };
  }
  const df = total ** 2 / parts.reduce((sum, part) => sum + part.variance ** 2 / part.df, 0);
  const se = Math.sqrt(total);
  return { value, p: 2 * studentCdf(-Math.abs(value) / se, df), error: { se, df }, parts };
}

/**
 * Student's t on paired differences: over units (each averaged over seeds), over seeds, and over the items that units
 * share, whose variances add; degrees of freedom by Welch and Satterthwaite. Null where there is nothing to test on: fewer
 * than two common units and fewer than two seeds.
 */
export function pairedDifference(a: readonly Sampled[], b: readonly Sampled[]): Difference | null {
  const pairs = seedPairs(a, b);
  if (pairs.length === 0) return null;
  const bySeed = pairs.map(([one, other]) => one.value - other.value);
  return differenceOver(pairs, bySeed.length > 1 ? errorOfMean(bySeed) : undefined, 2 ** bySeed.length);
}

/** Ways to draw `k` of `n`. */
const combinations = (n: number, k: number): number =>
  Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((product, each) => product * each, 1);

/**
 * The same between seeds that have nothing in common, or of which one side has one alone: units are still compared in
 * pairs, and the seeds of both sides show how far seeds lie apart (one variance for both). Null where there is nothing to
 * test on: fewer than two common units, and one seed on each side.
 */
export function unpairedDifference(a: readonly Sampled[], b: readonly Sampled[]): Difference | null {
  if (a.length === 0 || b.length === 0) return null;
  const pairs = a.flatMap((one) => b.map((other): [Sampled, Sampled] => [one, other]));
  const df = a.length + b.length - 2;
  const squares = [a, b].reduce((sum, side) => sum + momentsOf(side.map(({ value }) => value)).m2, 0);
  const seeds = df > 0 ? { variance: (squares / df) * (1 / a.length + 1 / b.length), df } : undefined;
  return differenceOver(pairs, seeds, combinations(a.length + b.length, a.length));
}

const POWER = 0.8;

/**
 * The smallest true difference that a two-sided t test at `level` finds with a power of 80 %, about: (t of the level + t
 * of the power) standard errors.
 */
export const detectableDifference = ({ se, df }: NonNullable<Difference['error']>, level: number): number =>
  (studentQuantile(1 - level / 2, df) + studentQuantile(POWER, df)) * se;

/** p values corrected for being many (Holm 1979), in the given order. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => ps[a]! - ps[b]!);
  const corrected = new Array<number>(ps.length);
  let largest = 0;
  order.forEach((i, rank) => {
    largest = Math.max(largest, Math.min(1, (ps.length - rank) * ps[i]!));
    corrected[i] = largest;
  });
  return corrected;
}

/**
 * p values corrected so that of those below a level at most that share are false, as expected (Benjamini & Hochberg 1995),
 * in the given order; for tests that are independent or rise together.
 */
export function benjaminiHochberg(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => ps[b]! - ps[a]!);
  const corrected = new Array<number>(ps.length);
  let least = 1;
  order.forEach((i, above) => {
    least = Math.min(least, (ps.length / (ps.length - above)) * ps[i]!);
    corrected[i] = least;
  });
  return corrected;
}
