/**
 * @file Where a series changes its level. Of all places to cut it, the one with the smallest p of a two-sided t test between
 * the means of both sides, times the number of places (Bonferroni); over the series, Holm. A cut that is found is made, and
 * both parts are looked at again (binary segmentation).
 *
 * The error of a run is the spread of its seeds, pooled over all runs: what a training that is drawn anew differs by. Equal
 * values that follow each other are one: code that did not change gives the same bits, which is no further evidence. What a
 * machine measures has an error between runs instead. Where there is neither, each change of the value is one, untested.
 */
import { holm } from '../../harness/num/stats/paired.ts';
import { studentCdf } from '../../harness/num/stats/student-t.ts';
import type { HistoryRow } from './file.ts';
import type { Series } from './series.ts';

/** The level changed between two runs. */
export interface ChangePoint {
  series: Series;
  /** The last run before, the first after. */
  before: HistoryRow;
  after: HistoryRow;
  /** Mean over the runs (of different values) before and after. */
  levels: [before: number, after: number];
  /** Corrected; null where nothing tells the error. */
  p: number | null;
  /** Of more or less of the metric, by its direction. */
  verdict: 'better' | 'worse' | 'changed';
}

/** Of corrected p. */
export const LEVEL = 0.05;
/** Runs on each side from which the error of what is measured is known. */
const LEAST_MEASURED = 3;
/** Relative difference of values that rounding explains. */
const ROUNDING = 1e-9;

interface Point {
  row: HistoryRow;
  value: number;
}

const valuesIn = ({ points }: Series): Point[] =>
  points.flatMap((row) => (row.value === null ? [] : [{ row, value: row.value }]));

/** Without values that equal the one before them. */
const different = (points: readonly Point[]): Point[] =>
  points.filter(({ value }, i) => value !== points[i - 1]?.value);

const meanOf = (points: readonly Point[]): number => points.reduce((sum, { value }) => sum + value / points.length, 0);

/** Variance of one run's value by the spread of seeds, pooled; undefined where no run has two seeds or they are all equal. */
function seedError(points: readonly Point[]): { variance: number; df: number } | undefined {
  const spread = points.filter(({ row: { sd, seeds } }) => sd !== null && seeds > 1);
  const df = spread.reduce((sum, { row: { seeds } }) => sum + seeds - 1, 0);
  if (df === 0) return undefined;
  const pooled = spread.reduce((sum, { row: { sd, seeds } }) => sum + (seeds - 1) * sd! ** 2, 0) / df;
  const seeds = Math.min(...spread.map(({ row }) => row.seeds));
  return pooled > 0 ? { variance: pooled / seeds, df } : undefined;
}

/** Two-sided p of a cut before point `at`. */
function cutP(points: readonly Point[], at: number, error: { variance: number; df: number } | undefined): number {
  const [left, right] = [points.slice(0, at), points.slice(at)];
  const distance = Math.abs(meanOf(right) - meanOf(left));
  const squares = [left, right].map((side) => side.reduce((sum, { value }) => sum + (value - meanOf(side)) ** 2, 0));
  const own = { variance: (squares[0]! + squares[1]!) / (points.length - 2), df: points.length - 2 };
  const { variance, df } = error ?? own;
  if (variance === 0) return distance === 0 ? 1 : 0;
  return 2 * studentCdf(-distance / Math.sqrt(variance * (1 / left.length + 1 / right.length)), df);
}

interface Cut {
  at: number;
  /** Times the number of places that were tried. */
  p: number;
}

/** The place with the most evidence; undefined where none can be tried. */
function bestCut(points: readonly Point[], measured: boolean, error: ReturnType<typeof seedError>): Cut | undefined {
  const edge = measured ? LEAST_MEASURED : 1;
  const places = Array.from({ length: Math.max(0, points.length - 2 * edge + 1) }, (_, i) => i + edge);
  if (points.length < 2 || places.length === 0) return undefined;
  const ps = places.map((at) => cutP(points, at, error));
  const least = ps.indexOf(Math.min(...ps));
  return { at: places[least]!, p: Math.min(1, ps[least]! * places.length) };
}

function verdictOf({ direction }: HistoryRow, [before, after]: [number, number]): ChangePoint['verdict'] {
  if (direction === 'none') return 'changed';
  return after > before === (direction === 'max') ? 'better' : 'worse';
}

function changeAt(series: Series, points: readonly Point[], at: number, p: number | null): ChangePoint {
  const levels: [number, number] = [meanOf(points.slice(0, at)), meanOf(points.slice(at))];
  const after = points[at]!.row;
  // The last run with the value before, of those that count as one.
  const earlier = series.points.slice(0, series.points.indexOf(after)).filter(({ value }) => value !== null);
  const before = earlier.at(-1)!;
  return { series, before, after, levels, p, verdict: verdictOf(series.key, levels) };
}

/** Cuts of one series, the first with its p already known to be small. */
function segments(
  series: Series,
  points: readonly Point[],
  cut: Cut,
  error: ReturnType<typeof seedError>,
): ChangePoint[] {
  const parts = [points.slice(0, cut.at), points.slice(cut.at)];
  const further = parts.flatMap((part) => {
    const next = bestCut(part, series.key.measured, error);
    return next && next.p < LEVEL ? segments(series, part, next, error) : [];
  });
  return [changeAt(series, points, cut.at, cut.p), ...further];
}

/** Every step of a series whose values have no error. */
function steps(series: Series, points: readonly Point[]): ChangePoint[] {
  return points.flatMap(({ value }, i) => {
    const before = points[i - 1]?.value;
    if (before === undefined || Math.abs(value - before) <= ROUNDING * Math.max(1, Math.abs(value))) return [];
    return [{ ...changeAt(series, points, i, null), levels: [before, value] as [number, number] }];
  });
}

/** The changes of level in all series, the most certain first; those without a test last. */
export function changePoints(all: readonly Series[]): ChangePoint[] {
  const untested: ChangePoint[] = [];
  const tested = all.flatMap((series) => {
    const { measured } = series.key;
    const points = measured ? valuesIn(series) : different(valuesIn(series));
    const error = measured ? undefined : seedError(points);
    if (!measured && !error) {
      untested.push(...steps(series, points));
      return [];
    }
    const cut = bestCut(points, measured, error);
    return cut ? [{ series, points, cut, error }] : [];
  });
  const corrected = holm(tested.map(({ cut }) => cut.p));
  const found = tested.flatMap(({ series, points, cut, error }, i) =>
    corrected[i]! < LEVEL ? segments(series, points, { ...cut, p: corrected[i]! }, error) : [],
  );
  return [...found.sort((a, b) => a.p! - b.p!), ...untested];
}
