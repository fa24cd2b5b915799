/**
 * @file How far two ratings of the same texts agree, with 95 % intervals over units (concepts) whose texts are not
 * independent: delete-one jackknife by unit (Efron 1982), Student's t with Hall's correction on its pseudo-values.
 */
import { type Estimate, meanInterval, type Range } from './interval.ts';

/** Two ratings by unit: n, Σx, Σy, Σx², Σy², Σxy of each. Sums of several sets of texts add. */
export interface PairedSums {
  units: string[];
  sums: number[][];
}

/** One text: its unit, and what it was given by one and by the other. */
export interface RatedPair {
  unit: string;
  x: number;
  y: number;
}

export function pairedSums(pairs: readonly RatedPair[]): PairedSums {
  const sums = new Map<string, number[]>();
  for (const { unit, x, y } of pairs) {
    const own = sums.get(unit) ?? [0, 0, 0, 0, 0, 0];
    [1, x, y, x * x, y * y, x * y].forEach((value, i) => {
      own[i]! += value;
    });
    sums.set(unit, own);
  }
  return { units: [...sums.keys()], sums: [...sums.values()] };
}

/** The sums of all sets together, unit by unit. */
export function joinedSums(sets: readonly PairedSums[]): PairedSums {
  const joined = new Map<string, number[]>();
  for (const { units, sums } of sets) {
    units.forEach((unit, i) => {
      const own = joined.get(unit);
      joined.set(unit, own ? own.map((value, j) => value + sums[i]![j]!) : [...sums[i]!]);
    });
  }
  return { units: [...joined.keys()], sums: [...joined.values()] };
}

/** What two ratings have in common. */
export interface Agreement {
  texts: number;
  /**
   * Cohen's kappa with quadratic weights: 1 − mean (x − y)² ÷ its expectation were the two independent with the spreads that
   * they have; 1 for equal ratings, 0 for chance. For ratings of a few grades it is Lin's concordance too. Null where neither
   * has any spread.
   */
  kappa: Estimate | null;
  /** Mean of x − y. */
  difference: Estimate | null;
}

const total = (sums: readonly number[][], without = -1): number[] =>
  sums.reduce((all, own, i) => (i === without ? all : all.map((value, j) => value + own[j]!)), [0, 0, 0, 0, 0, 0]);

/** Null without spread: nothing could be told apart by chance. */
function kappaOf([n, x, y, xx, yy, xy]: readonly number[]): number | null {
  if (n === 0) return null;
  const observed = (xx! + yy! - 2 * xy!) / n!;
  const [mx, my] = [x! / n!, y! / n!];
  const expected = xx! / n! - mx * mx + yy! / n! - my * my + (mx - my) ** 2;
  return expected > 1e-12 ? 1 - observed / expected : null;
}

const differenceOf = ([n, x, y]: readonly number[]): number | null => (n === 0 ? null : (x! - y!) / n!);

/**
 * A statistic of all units with its interval.
 *
 * @param leftOut The statistic without each unit; null where it is undefined then, and no interval can be had.
 */
function jackknife(value: number | null, leftOut: readonly (number | null)[], range: Range): Estimate | null {
  if (value === null) return null;
  const n = leftOut.length;
  const alone = { value, ci: null, n };
  const known = leftOut.filter((each) => each !== null);
  if (n < 2 || known.length < n) return alone;
  const pseudo = known.map((each) => n * value - (n - 1) * each);
  const { value: centre, ci } = meanInterval(pseudo)!;
  // Units that all say the same: bounded by the range alone.
  if (!ci) return { ...alone, ci: meanInterval(Array(n).fill(value), range)!.ci };
  const [low, high] = [value + ci[0] - centre, value + ci[1] - centre];
  return { value, ci: [Math.max(low, range[0] ?? -Infinity), Math.min(high, range[1] ?? Infinity)], n };
}

/** @param most The largest rating; the least is 0. */
export function agreementOf({ sums }: Pick<PairedSums, 'sums'>, most: number): Agreement {
  const of = (statistic: (sums: readonly number[]) => number | null, range: Range) =>
    jackknife(
      statistic(total(sums)),
      sums.map((_, i) => statistic(total(sums, i))),
      range,
    );
  return { texts: total(sums)[0]!, kappa: of(kappaOf, [-1, 1]), difference: of(differenceOf, [-most, most]) };
}

/** Ranks from 1, ties at the mean of theirs. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

function spearman(pairs: readonly RatedPair[]): number | null {
  const n = pairs.length;
  const [x, y] = [ranksOf(pairs.map((pair) => pair.x)), ranksOf(pairs.map((pair) => pair.y))];
  const middle = (n + 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [a, b] = [x[i]! - middle, y[i]! - middle];
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

/** Spearman's rank correlation, ties at their mean rank; null where either has no spread. */
export function rankCorrelation(pairs: readonly RatedPair[]): Estimate | null {
  const units = [...new Set(pairs.map(({ unit }) => unit))];
  const leftOut = units.map((unit) => spearman(pairs.filter((pair) => pair.unit !== unit)));
  return jackknife(spearman(pairs), leftOut, [-1, 1]);
}
