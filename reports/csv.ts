/**
 * @file Results → CSV. The long form has one line a number of each seed, for any statistics program; the wide one a line a
 * method and setting, seeds joined as in the tables, for a spreadsheet.
 */
import { stringify } from 'csv-stringify/sync';
import { canonicalJson } from '../harness/io/json.ts';
import { backendInWords } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { csvText } from './escape.ts';
import type { Table, TableRow } from './table.ts';

const COLUMNS = [
  'suite',
  'subject',
  'modality',
  'site',
  'dataset',
  'task',
  'task_version',
  'method',
  'kind',
  'control',
  'd_sae',
  'axes',
  'band',
  'rank',
  'standing',
  'detectable',
  'seed',
  'limited',
  'metric',
  'value',
  'ci95_low',
  'ci95_high',
  'n',
  'unit',
  'direction',
  'measured',
  'reason',
  'marks',
  'backend',
  'key',
  'method_identity',
  'method_options',
  'training_options',
  'task_options',
  'dataset_options',
] as const;

const keyOf = ({ id: subject }: Result['subject'], { name: site }: Result['site'], { id: task }: Result['task']) =>
  JSON.stringify([subject, site, task]);
const rowKey = ({ name }: Result['method'], axes: Record<string, string>) => JSON.stringify([name, axes]);

/** Where each row of each table stands. */
function placesOf(tables: readonly Table[]): Map<string, Map<string, TableRow>> {
  return new Map(
    tables.map(({ subject, site, task, rows }) => [
      keyOf(subject, site, task),
      new Map(rows.map((row) => [rowKey(row.method, row.axes), row])),
    ]),
  );
}

/** What a row's rank is among, what it is, and how it stands against the first: of the row over all seeds. */
function standingOf(row: TableRow | undefined, withheld: boolean) {
  const standing = withheld ? 'withheld' : (row?.standing ?? (row?.rank === 1 ? 'first' : undefined));
  const { band, rank, detectable } = row ?? {};
  return { band, rank, standing: row?.detail ? 'detail' : standing, detectable };
}

/** One record for each seed, row and metric; an empty cell keeps its reason. */
export function toCsv(results: readonly Result[], tables: readonly Table[]): string {
  const places = placesOf(tables);
  const withheld = new Set(
    tables.flatMap((table) => (table.withheld ? [keyOf(table.subject, table.site, table.task)] : [])),
  );
  const records = results.flatMap((result) => {
    const place = keyOf(result.subject, result.site, result.task);
    const rows = places.get(place);
    const options = {
      method_options: canonicalJson(result.method.options),
      training_options: result.training && canonicalJson(result.training.options),
      task_options: canonicalJson(result.task.options),
      dataset_options: canonicalJson(result.dataset.options),
    };
    return result.rows.flatMap(({ axes, metrics, control }) => {
      const standing = standingOf(rows?.get(rowKey(result.method, axes)), withheld.has(place));
      return Object.entries(metrics).map(([metric, { value, ci95, n, reason }]) => ({
        suite: result.suite.id,
        subject: result.subject.id,
        modality: result.subject.modality,
        site: result.site.name,
        dataset: result.dataset.id,
        task: result.task.id,
        task_version: result.task.version,
        method: result.method.name,
        kind: result.method.kind,
        control: result.method.control || control === true,
        d_sae: result.method.d_sae,
        axes: axesText(axes),
        ...standing,
        seed: result.seed,
        limited: result.limited,
        metric,
        value,
        ci95_low: ci95?.[0],
        ci95_high: ci95?.[1],
        n,
        unit: result.task.metrics[metric]!.unit,
        direction: result.task.metrics[metric]!.direction,
        measured: result.task.metrics[metric]!.measured === true,
        reason,
        marks: result.marks?.map(({ code }) => code).join(';'),
        backend: backendInWords(result.provenance.backend),
        key: result.key,
        method_identity: result.method.identity,
        ...options,
      }));
    });
  });
  return csvOf(records, COLUMNS);
}

const csvOf = (records: readonly object[], columns: readonly string[]): string =>
  stringify([...records], { header: true, columns: [...columns], cast: { boolean: String, string: csvText } });

const axesText = (axes: Record<string, string>): string =>
  Object.entries(axes)
    .map(([axis, at]) => `${axis}=${at}`)
    .join(';');

const WIDE_COLUMNS = [
  ...['subject', 'modality', 'site', 'dataset', 'task', 'task_version', 'method', 'kind', 'control', 'd_sae', 'axes'],
  ...['band', 'rank', 'standing', 'detectable', 'seeds', 'limited', 'marks', 'failed', 'method_identity'],
] as const;

/** A metric's column; one that is named like another column is told from it. */
const metricColumn = (name: string): string =>
  (WIDE_COLUMNS as readonly string[]).includes(name) ? `metric.${name}` : name;

function wideRecord(table: Table, row: TableRow) {
  const { subject, site, dataset, task, marks, limited, withheld } = table;
  const { method, axes, control, cells, failures } = row;
  const values = Object.entries(cells).flatMap(([name, { value, ci95, n }]) => {
    const column = metricColumn(name);
    const [low, high] = ci95 ?? [];
    return Object.entries({ [column]: value, [`${column}.low`]: low, [`${column}.high`]: high, [`${column}.n`]: n });
  });
  return {
    ...{ subject: subject.id, modality: subject.modality, site: site.name, dataset: dataset.id },
    ...{ task: task.id, task_version: task.version },
    ...{ method: method.name, kind: method.kind, control: control !== undefined, d_sae: method.d_sae },
    axes: axesText(axes),
    ...standingOf(row, withheld !== undefined),
    seeds: Math.max(0, ...Object.values(cells).map((cell) => cell.seeds)),
    limited: limited.includes(method.name),
    marks: [...new Set(marks.filter((mark) => mark.method === method.name).map(({ code }) => code))].join(';'),
    failed: failures?.join('; '),
    method_identity: method.identity,
    ...Object.fromEntries(values),
  };
}

/** One record for each method and setting of each task; a metric has columns for its value, its 95 % interval and n. */
export function toWideCsv(tables: readonly Table[]): string {
  const metrics = [...new Set(tables.flatMap((table) => table.metrics))].map(metricColumn);
  const columns = metrics.flatMap((name) => [name, `${name}.low`, `${name}.high`, `${name}.n`]);
  const records = tables.flatMap((table) => table.rows.map((row) => wideRecord(table, row)));
  return csvOf(records, [...WIDE_COLUMNS, ...columns]);
}
