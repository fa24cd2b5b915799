/** @file Results of several seeds → one cell a metric, with an interval that covers both seeds and examples. */
import { widenInterval } from '../harness/num/stats/interval.ts';
import type { Result, ResultMetric } from '../harness/schema/result.generated.ts';

/** One number of a table. */
export interface Cell {
  value: number | null;
  ci95: [number, number] | null;
  n: number;
  /** The interval rests on few units (under 10): it is marked, since it is wide and leans on the shape of the data. */
  few?: boolean;
  /** Seeds with a value. */
  seeds: number;
  /** Standard deviation over seeds; null with fewer than two. */
  sd: number | null;
  unit: string;
  direction: 'max' | 'min' | 'none';
  reason?: string;
}

/** One line of a table: a method under one setting of the task's axes. */
export interface TableRow {
  method: Result['method'];
  axes: Record<string, string>;
  /** A null row of the task (`method`), or what stands beside a method to compare it with (`row`: not ranked). */
  control?: 'method' | 'row';
  cells: Record<string, Cell>;
  /** 1 = best by the main metric; null where that cell is empty, has no direction, or is a method's own control. */
  rank: number | null;
  /** Whether the main metric's interval overlaps the best row's: not told apart from the best. */
  tied: boolean;
}

/** All methods on one task at one site. */
export interface Table {
  subject: Result['subject'];
  site: Result['site'];
  dataset: Result['dataset'];
  task: Result['task'];
  /** Metric names, the main one first, then in the order of the results. */
  metrics: string[];
  main?: string;
  seeds: number[];
  rows: TableRow[];
  /** Why there are no rows, where the task does not apply to this subject. */
  unavailable?: string;
}

/** Units below which an interval is marked. */
const FEW = 10;

/** Independent units that an interval rests on: those within a seed, or the seeds where seeds are all that differs. */
function restsOnFew(present: readonly ResultMetric[]): boolean {
  const units = present.flatMap((metric) => (metric.ci95 ? [metric.units ?? metric.n] : []));
  return Math.min(...(units.length > 0 ? units : [present.length])) < FEW;
}

/**
 * Mean over seeds. The interval joins what seeds differ by (Student's t on the standard error of their mean: a few seeds
 * say little about their spread) and the mean interval within a seed: distances of the bounds add in squares. Seeds share
 * their examples, so averaging over them does not shrink the latter.
 */
export function combineSeeds(metrics: ResultMetric[]): Cell {
  const { unit, direction, range, reason } = metrics[0]!;
  const present = metrics.filter(({ value }) => value !== null);
  const common = { unit, direction, seeds: present.length };
  if (present.length === 0)
    return { ...common, value: null, ci95: null, n: 0, sd: null, ...(reason ? { reason } : {}) };
  const values = present.map(({ value }) => value as number);
  const n = Math.min(...present.map((metric) => metric.n));
  if (present.length === 1) {
    const ci95 = present[0]!.ci95;
    return { ...common, value: values[0]!, ci95, n, sd: null, ...(ci95 && restsOnFew(present) ? { few: true } : {}) };
  }
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const between = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const own = present.flatMap(({ ci95, value }) => (ci95 ? [[value! - ci95[0], ci95[1] - value!] as const] : []));
  const rootMeanSquare = (side: 0 | 1) =>
    Math.hypot(...own.map((distances) => distances[side])) / Math.sqrt(own.length);
  const within: [number, number] | null = own.length > 0 ? [mean - rootMeanSquare(0), mean + rootMeanSquare(1)] : null;
  const joined = widenInterval({ value: mean, ci: within, n }, between / values.length, values.length - 1, range);
  return {
    ...common,
    value: mean,
    ci95: joined.ci,
    n,
    sd: Math.sqrt(between),
    ...(restsOnFew(present) ? { few: true } : {}),
  };
}

const keyOf = (...parts: unknown[]): string => JSON.stringify(parts);

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups.values()];
}

/** Results → tables, one for each subject, site and task, in the order of first appearance. */
export function buildTables(results: readonly Result[]): Table[] {
  return groupBy(results, ({ subject, site, task }) => keyOf(subject.id, site.name, task.id)).map(buildTable);
}

function buildTable(results: Result[]): Table {
  const { subject, site, dataset, task } = results[0]!;
  const lines = results.flatMap((result) => result.rows.map((row) => ({ method: result.method, ...row })));
  const metrics = [...new Set(lines.flatMap((line) => Object.keys(line.metrics)))];
  const main = metrics.find((name) => lines.some((line) => line.metrics[name]?.main));
  const rows = groupBy(lines, ({ method, axes }) => keyOf(method.name, axes)).map((group): TableRow => {
    const cells: Record<string, Cell> = {};
    for (const name of metrics) {
      const found = group.flatMap((line) => (line.metrics[name] ? [line.metrics[name]] : []));
      if (found.length > 0) cells[name] = combineSeeds(found);
    }
    const { method, axes, control: beside } = group[0]!;
    const control = beside ? 'row' : method.control ? 'method' : undefined;
    return { method, axes, ...(control ? { control } : {}), cells, rank: null, tied: false };
  });
  if (main) rankRows(rows, main);
  const unavailable = rows.length === 0 ? results.find((result) => result.unavailable)?.unavailable : undefined;
  return {
    subject,
    site,
    dataset,
    task,
    metrics: main ? [main, ...metrics.filter((name) => name !== main)] : metrics,
    ...(main ? { main } : {}),
    seeds: [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b),
    rows,
    ...(unavailable ? { unavailable } : {}),
  };
}

/** Sorts rows best first and sets `rank` (equal values share a rank) and `tied`. */
function rankRows(rows: TableRow[], main: string): void {
  const mainOf = (row: TableRow) => row.cells[main]?.value ?? null;
  const direction = rows.find((row) => row.cells[main])?.cells[main]?.direction;
  const sign = direction === 'min' ? 1 : -1;
  rows.sort((a, b) => {
    const [left, right] = [mainOf(a), mainOf(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  });
  if (direction === 'none') return;
  const ranked = rows.filter(({ control }) => control !== 'row');
  const best = ranked[0]?.cells[main];
  ranked.forEach((row, i) => {
    const cell = row.cells[main];
    if (!cell || cell.value === null) return;
    const before = ranked[i - 1];
    row.rank = before && mainOf(before) === cell.value ? before.rank : i + 1;
    row.tied = i > 0 && !!best?.ci95 && !!cell.ci95 && cell.ci95[1] >= best.ci95[0] && cell.ci95[0] <= best.ci95[1];
  });
}
