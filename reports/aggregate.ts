/** @file Results of several seeds → one cell a metric, with an interval that covers both seeds and examples. */
import { widenInterval } from '../harness/num/stats/interval.ts';
import { mainMetric } from '../harness/results.ts';
import type { ResultMetricDefinition } from '../harness/schema/metric-definition.generated.ts';
import type { Result, ResultMetric } from '../harness/schema/result.generated.ts';
import { taskOf } from './definitions.ts';
import { byTable, groupBy } from './group-by.ts';
import { judgingOf } from './judging.ts';
import { marksOf } from './marks.ts';
import { type Band, bandOf, detailRows, rankBand, sampledOf, sortRows } from './ranks.ts';
import { settingIn } from './settings.ts';
import type { Cell, Table, TableRow } from './table.ts';
import { withholdControl, withholdRanks } from './withheld.ts';

/** Units below which an interval is marked. */
export const FEW = 10;

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
export function combineSeeds(
  metrics: readonly ResultMetric[],
  { unit, direction, range }: ResultMetricDefinition,
): Cell {
  const { reason } = metrics[0]!;
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
  // Seeds that all give one value do not show that others would; and most such numbers do not depend on the seed at all.
  if (own.length === 0 && values.every((value) => value === values[0])) {
    return { ...common, value: mean, ci95: null, n, sd: 0 };
  }
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

/** Results → tables, one for each subject, site and task, in the order of first appearance. */
export function buildTables(results: readonly Result[]): Table[] {
  return byTable(results).map(buildTable);
}

function buildTable(results: Result[]): Table {
  // A failed result may not know its data.
  const { subject, site, dataset } = results.find(({ failed }) => failed === undefined) ?? results[0]!;
  const task = taskOf(results)!;
  const lines = results.flatMap((result) => result.rows.map((row) => ({ result, method: result.method, row })));
  const metrics = [...new Set(lines.flatMap(({ row }) => Object.keys(row.metrics)))];
  // Results of several versions of a task may stand in one table.
  const definitions: Result['task']['metrics'] = Object.assign({}, ...results.map((result) => result.task.metrics));
  const main = mainMetric(definitions);
  const candidates = groupBy(lines, ({ method, row }) => keyOf(method.name, row.axes)).map((group): TableRow => {
    const cells: Record<string, Cell> = {};
    for (const name of metrics) {
      const found = group.flatMap(({ row }) => (row.metrics[name] ? [row.metrics[name]] : []));
      if (found.length > 0) cells[name] = combineSeeds(found, definitions[name]!);
    }
    const { result, method, row } = group[0]!;
    const control = row.control ? ('row' as const) : method.control ? ('method' as const) : undefined;
    const common = { ...settingIn(result), axes: row.axes, ...(control ? { control } : {}), cells };
    const sampled =
      main === undefined ? [] : group.flatMap((each) => sampledOf(each.result.seed, each.row, main) ?? []);
    return { ...common, sampled, detail: false, band: '', rank: null };
  });
  candidates.push(...failedRows(results, candidates, main, definitions));
  const rows = main === undefined ? candidates : rankedRows(candidates, main, task, definitions[main]!, site.d_in);
  const plantedControl = results.find((result) => result.plantedControl !== undefined)?.plantedControl;
  const withheld = [
    plantedControl === undefined ? undefined : withholdControl(rows, plantedControl),
    main === undefined ? undefined : withholdRanks(rows, main, task.shows?.withheld),
  ].filter((reason) => reason !== undefined);
  const unavailable = rows.length === 0 ? results.find((result) => result.unavailable)?.unavailable : undefined;
  return {
    subject,
    site,
    dataset,
    task,
    metrics: main ? [main, ...metrics.filter((name) => name !== main)] : metrics,
    ...(main ? { main } : {}),
    seeds: [...new Set(results.map(({ seed }) => seed))].sort((a, b) => a - b),
    epochs: [...new Set(results.flatMap(({ training }) => training?.epochs ?? []))].sort((a, b) => a - b),
    marks: marksOf(results),
    limited: [...new Set(results.filter(({ limited }) => limited).map(({ method }) => method.name))],
    judging: judgingOf(results),
    rows,
    ...(plantedControl === undefined ? {} : { plantedControl }),
    ...(withheld.length > 0 ? { withheld: withheld.join(' ') } : {}),
    ...(unavailable ? { unavailable } : {}),
  };
}

/**
 * Notes failures in the rows of their methods, and gives a row to each method that has none.
 *
 * @returns the further rows.
 */
function failedRows(
  results: readonly Result[],
  candidates: readonly TableRow[],
  main: string | undefined,
  definitions: Result['task']['metrics'],
): TableRow[] {
  const failed = results.filter((result) => result.failed !== undefined);
  return groupBy(failed, ({ method }) => method.name).flatMap((group): TableRow[] => {
    const failures = reasonsBySeed(group);
    const { method } = group[0]!;
    const own = candidates.filter((row) => row.method.name === method.name);
    for (const row of own) row.failures = failures;
    if (own.length > 0) return [];
    const control = method.control ? { control: 'method' as const } : {};
    const reason = `failed: ${failures.join('; ')}`;
    const empty = (name: string) => combineSeeds([{ value: null, ci95: null, n: 0, reason }], definitions[name]!);
    const cells = main === undefined ? {} : { [main]: empty(main) };
    const common = { ...settingIn(group[0]!), axes: {}, ...control, cells };
    return [{ ...common, sampled: [], detail: false, band: '', rank: null, failures }];
  });
}

/** `seed 0, 1: reason`, each reason once. */
function reasonsBySeed(group: readonly Result[]): string[] {
  return groupBy(group, ({ failed }) => failed!).map((same) => {
    const seeds = same.map(({ seed }) => seed).sort((a, b) => a - b);
    return `seed ${seeds.join(', ')}: ${same[0]!.failed}`;
  });
}

/** The rows in the order of the table, each with its band, rank and standing, as the task declares. */
function rankedRows(
  rows: TableRow[],
  main: string,
  { shows = {} }: Result['task'],
  definition: ResultMetricDefinition,
  d_in: number,
): TableRow[] {
  const directed = rows.some(({ cells }) => cells[main]?.value != null && cells[main].direction !== 'none');
  sortRows(rows, main);
  // A method without any row has nothing that could be a detail.
  const measured = rows.filter(({ failures, sampled }) => !failures || sampled.length > 0);
  const details = detailRows(measured, shows.ranked);
  for (const row of details) row.detail = true;
  const bands = new Map<string, Band & { rows: TableRow[] }>();
  for (const row of rows.filter(({ detail }) => !detail)) {
    const band = bandOf(row, shows.bands, d_in);
    row.band = band.title;
    const known = bands.get(band.title) ?? { ...band, rows: [] };
    known.rows.push(row);
    bands.set(band.title, known);
  }
  const ordered = [...bands.values()].sort((a, b) => a.order - b.order);
  for (const band of ordered.filter(({ ranked }) => ranked && directed)) {
    rankBand(
      band.rows.filter(({ control }) => control === undefined),
      main,
      definition,
    );
  }
  return [...ordered.flatMap((band) => band.rows), ...rows.filter(({ detail }) => detail)];
}
