/** @file Which rows of a table are compared, in which order they stand, and which are told apart from the first. */
import { detectableDifference, holm, pairedDifference } from '../harness/num/stats/paired.ts';
import type { ResultDisplay } from '../harness/schema/display.generated.ts';
import type { ResultMetricDefinition } from '../harness/schema/metric-definition.generated.ts';
import type { ResultRowRecord } from '../harness/schema/result.generated.ts';
import { formatNumber } from './format.ts';
import type { Cell, SampledUnits, TableRow } from './table.ts';

/** Of Holm's corrected p: below it a row is told apart from the first. */
const LEVEL = 0.05;

/** What one seed's row gives for the main metric; undefined for an empty cell. */
export function sampledOf(seed: number, { metrics, samples }: ResultRowRecord, main: string): SampledUnits | undefined {
  const value = metrics[main]?.value;
  if (value === null || value === undefined) return undefined;
  if (!samples) return { seed, value };
  const { shared, sharedBy, ids, ci95, apart } = samples;
  const byUnit = <T>(all: readonly T[]) => new Map(all.map((each, i) => [ids?.[i] ?? String(i), each]));
  return {
    ...{ seed, value, unit: samples.unit, units: byUnit(samples.values) },
    ...(shared ? { shared } : {}),
    ...(sharedBy ? { sharedBy: byUnit(sharedBy) } : {}),
    ...(ci95 ? { intervals: byUnit(ci95) } : {}),
    ...(apart ? { apart: byUnit(apart) } : {}),
  };
}

/** The rows that are not the one of their method that is ranked: by the task's declaration, else all but its first. */
export function detailRows(rows: readonly TableRow[], ranked: ResultDisplay['ranked']): Set<TableRow> {
  const best = new Map<string, { row: TableRow; places: number[] }>();
  for (const row of rows) {
    if (row.control === 'row') continue;
    const places = Object.entries(ranked ?? {}).map(([axis, values]) => values.indexOf(row.axes[axis] ?? ''));
    if (places.includes(-1)) continue;
    const known = best.get(row.method.name);
    if (!known || before(places, known.places)) best.set(row.method.name, { row, places });
  }
  const chosen = new Set([...best.values()].map(({ row }) => row));
  return new Set(rows.filter((row) => !chosen.has(row)));
}

function before(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((place, i) => place !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}

/** A set of rows that are ranked among themselves. */
export interface Band {
  /** Empty where the task has no bands. */
  title: string;
  order: number;
  /** Dense codes stand apart. */
  ranked: boolean;
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** The band of a row by the task's declaration. */
export function bandOf(row: TableRow, bands: ResultDisplay['bands'], d_in: number): Band {
  if (!bands) return { title: '', order: 0, ranked: true };
  const value = row.cells[bands.metric]?.value;
  const name = bands.metric.toUpperCase();
  if (value === null || value === undefined || value <= 0) {
    return { title: `no ${name}`, order: Infinity, ranked: false };
  }
  if (value >= bands.dense * d_in) {
    return {
      title: `dense (${name} of at least ${short(bands.dense * d_in)}): no compression`,
      order: Number.MAX_VALUE,
      ranked: false,
    };
  }
  const power = Math.round(Math.log(value) / Math.log(bands.ratio));
  const [low, high] = [-0.5, 0.5].map((half) => bands.ratio ** (power + half)) as [number, number];
  return { title: `${name} ${short(low)} to ${short(high)}`, order: power, ranked: true };
}

/** Best first by the main metric; empty cells last. */
export function sortRows(rows: TableRow[], main: string): void {
  const mainOf = (row: TableRow) => row.cells[main]?.value ?? null;
  const sign = rows.find((row) => mainOf(row) !== null)?.cells[main]?.direction === 'min' ? 1 : -1;
  rows.sort((a, b) => {
    const [left, right] = [mainOf(a), mainOf(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  });
}

/**
 * Ranks the rows of one band, sorted best first: equal values share a rank, and a row without another to be compared with
 * has none. Each is compared with the first by paired differences, corrected for their number; `standing` is `tied` where
 * they are not told apart, `apart` without a test where both were counted, `untested` where there is nothing to test on, and `alone` where there is nothing to compare with.
 * `detectable` is the difference that the test would have found with a power of 80 % at the strictest level of Holm's, and
 * `blind` says that the scale has no room for one.
 */
export function rankBand(
  rows: readonly TableRow[],
  main: string,
  { counted, range }: Pick<ResultMetricDefinition, 'counted' | 'range'>,
): void {
  const ranked = rows.filter(({ cells }) => typeof cells[main]?.value === 'number');
  const [first, ...others] = ranked;
  if (first === undefined) return;
  if (others.length === 0) {
    first.standing = 'alone';
    return;
  }
  ranked.forEach((row, i) => {
    const above = ranked[i - 1];
    row.rank = above && above.cells[main]!.value === row.cells[main]!.value ? above.rank : i + 1;
  });
  const constant = ({ cells }: TableRow) => counted === true && !cells[main]!.sd;
  const sizes = others.filter((row) => constant(first) && constant(row));
  for (const row of sizes) row.standing = row.rank === first.rank ? 'tied' : 'apart';
  for (const { row, ...found } of comparedWith(
    first,
    others.filter((row) => !sizes.includes(row)),
  )) {
    Object.assign(row, found);
    if (row.detectable !== undefined && row.detectable > room(first.cells[main]!, range)) row.blind = true;
  }
}

/**
 * Rows against one of the same table by paired differences, corrected for their number: told apart, not told apart, or
 * with nothing to test on.
 */
export function comparedWith(
  first: TableRow,
  others: readonly TableRow[],
): ({ row: TableRow } & Pick<TableRow, 'standing' | 'p' | 'detectable'>)[] {
  const tests = others.map((row) => ({ row, test: pairedDifference(first.sampled, row.sampled) }));
  const tested = tests.flatMap(({ row, test }) => (test ? [{ row, ...test }] : []));
  const corrected = holm(tested.map(({ p }) => p));
  return tests.map(({ row, test }) => {
    if (!test) return { row, standing: 'untested' };
    const p = corrected[tested.findIndex((each) => each.row === row)]!;
    const detectable = test.error && detectableDifference(test.error, LEVEL / tested.length);
    return { row, standing: p < LEVEL ? 'apart' : 'tied', p, ...(detectable === undefined ? {} : { detectable }) };
  });
}

/** The largest difference from the first that the scale of a metric has room for, on the worse side. */
function room({ value, direction }: Cell, [low, high]: ResultMetricDefinition['range']): number {
  const bound = direction === 'min' ? high : low;
  return bound === null ? Infinity : Math.abs(value! - bound);
}

/** `1`, `≈ 2`, `? 3`, or `–` without a rank (of a row that is alone in its band, too). */
export function rankLabel({ rank, standing }: Pick<TableRow, 'rank' | 'standing'>): string {
  if (rank === null) return '–';
  const mark = standing === 'tied' ? '≈ ' : standing === 'untested' ? '? ' : '';
  return `${mark}${rank}`;
}

/**
 * How large a difference from the first the tests of a band would have found, in a sentence: what `≈` leaves open, and
 * where the scale has no room for one that they would find. Undefined where nothing was tested.
 */
export function powerText(rows: readonly Pick<TableRow, 'detectable' | 'blind'>[]): string | undefined {
  const tested = rows.filter(({ detectable }) => detectable !== undefined);
  if (tested.length === 0) return undefined;
  const blind = tested.filter((row) => row.blind);
  const none = 'larger than the scale has room for';
  if (blind.length === tested.length) {
    return `Nothing can be told of differences from the first: only ones of ${rangeText(blind)}, ${none}, would be found with a power of 80 %.`;
  }
  const but =
    blind.length === 0
      ? ''
      : ` Of ${blind.length} of ${tested.length} methods nothing can be told: only differences ${none} would be found.`;
  const seeing = tested.filter((row) => !row.blind);
  return `A difference of ${rangeText(seeing)} from the first would be found with a power of 80 %; \`≈\` leaves smaller ones open.${but}`;
}

/** The middle of the differences that tests would have found, and the least and most where they differ. */
function rangeText(rows: readonly Pick<TableRow, 'detectable'>[]): string {
  const found = rows.map(({ detectable }) => detectable!).sort((a, b) => a - b);
  const middle = formatNumber(found[Math.floor(found.length / 2)]);
  const [least, most] = [formatNumber(found[0]), formatNumber(found.at(-1))];
  return least === most ? middle : `${middle} (${least} to ${most}, by method)`;
}

/** A band's title, with a word on a row that has nothing to be compared with. */
export function bandTitle({ title, rows }: { title: string; rows: readonly Pick<TableRow, 'standing'>[] }): string {
  if (title === '' || !rows.some(({ standing }) => standing === 'alone')) return title;
  return `${title} (one method alone: no rank)`;
}
