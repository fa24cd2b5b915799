/** @file Our rows beside published ones, in the published layout. */
import { winRate } from '../../harness/num/stats/win-rate.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { buildTables } from '../aggregate.ts';
import { formatInterval, formatNumber } from '../format.ts';
import type { Table, TableRow } from '../table.ts';
import { AXBENCH } from './axbench.ts';
import type { OurRow, Published, PublishedTable } from './form.ts';

const ALL: readonly Published[] = [AXBENCH];
/** Units below which an interval is marked. */
const FEW = 10;

/** A line: the published name, our method where there is one, our cells, the published cells. */
export interface BesideRow {
  name: string;
  ours: string;
  cells: string[];
  published: string[];
}

export interface BesideTable {
  title: string;
  /** Our places, subject and site; of win rates with what they are against. */
  columns: string[];
  /** Why ranks of our numbers are withheld, and the like: by place. */
  warnings: string[];
  rows: BesideRow[];
}

export interface BesideSection {
  title: string;
  source: string;
  notes: readonly string[];
  published: readonly string[];
  tables: BesideTable[];
}

/** All published tables that a run has rows for; none where it has none. */
export function besidePublished(results: readonly Result[]): BesideSection[] {
  return ALL.flatMap((published) => {
    const own = results.filter(({ dataset }) => dataset.id === published.dataset);
    const tables = buildTables(own);
    const shown = published.tables.flatMap((table) => besideTable(table, published, own, tables) ?? []);
    const { title, source, notes, columns } = published;
    return shown.length > 0 ? [{ title, source, notes, published: columns, tables: shown }] : [];
  });
}

/** A row of ours with its method's published name. */
interface Ours {
  name: string;
  label: string;
  row: TableRow;
}

/** What the same rows of several places have in common: method and selection. */
const labelOf = ({ method, axes }: TableRow): string =>
  method.kind === 'sae' && axes['selection'] ? `${method.name} (${axes['selection']})` : method.name;

const fits = ({ method, kind, selection }: OurRow, row: TableRow): boolean =>
  (method === undefined || row.method.id === method) &&
  (kind === undefined || row.method.kind === kind) &&
  (selection === undefined || row.axes['selection'] === selection);

/** The rows of a table that stand for their method, ranked ones first; one a label. Of several judges the first rates. */
function oursIn({ rows, task }: Table, metric: string, published: Published): Ours[] {
  const found = new Map<string, Ours>();
  const ordered = [...rows].sort((a, b) => Number(a.detail) - Number(b.detail));
  for (const row of ordered) {
    const judge = row.axes['judge'];
    const cell = row.cells[metric];
    const usable = row.control === undefined && cell && (judge === undefined || judge === task.judge?.id);
    // A selection that a method has no value of (labels that nobody gave) is no line of its own.
    if (!usable || (row.detail && cell.value === null)) continue;
    const name = Object.keys(published.ours).find((each) => fits(published.ours[each]!, row));
    // Of a method without a published one the row that is ranked alone.
    if (name === undefined && row.detail) continue;
    const label = labelOf(row);
    if (!found.has(label)) found.set(label, { name: name ?? '', label, row });
  }
  return [...found.values()];
}

function besideTable(
  given: PublishedTable,
  published: Published,
  results: readonly Result[],
  tables: readonly Table[],
): BesideTable | undefined {
  const places = tables
    .filter(({ task, unavailable }) => task.id === given.task && unavailable === undefined)
    .map((table) => ({ table, ours: oursIn(table, given.metric, published) }))
    .filter(({ ours }) => ours.length > 0);
  const columns = places.flatMap((place) => columnsOf(given, place, results));
  if (columns.length === 0) return undefined;
  const names = [...Object.keys(given.rows), ...Object.keys(published.ours)];
  const rankOf = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length);
  const labels = new Map(places.flatMap(({ ours }) => ours.map(({ name, label }) => [label, name] as const)));
  const numbers = (name: string) =>
    published.columns.map((_, i) => {
      const value = given.rows[name]?.[i] ?? null;
      return value === null ? '–' : formatNumber(value);
    });
  const own = [...labels].map(([label, name], i) => ({ name, label, i }));
  const rows = own.map(({ name, label }): BesideRow => {
    return { name, ours: label, cells: columns.map(({ of }) => of(label)), published: numbers(name) };
  });
  const missing = Object.keys(given.rows)
    .filter((name) => !own.some((each) => each.name === name))
    .map((name): BesideRow => ({ name, ours: '', cells: columns.map(() => '–'), published: numbers(name) }));
  return {
    title: given.title,
    columns: columns.map(({ title }) => title),
    warnings: places.flatMap(({ table }) => (table.withheld ? [`${placeOf(table)}: ${table.withheld}`] : [])),
    rows: [...rows, ...missing].sort((a, b) => rankOf(a.name) - rankOf(b.name)),
  };
}

const placeOf = ({ subject, site }: Table) => `${subject.id}, ${site.name}`;

interface Column {
  title: string;
  of: (label: string) => string;
}

/** One column a place; of win rates one for each row that they may be against, of the first method that there is. */
function columnsOf(
  given: PublishedTable,
  { table, ours }: { table: Table; ours: Ours[] },
  results: readonly Result[],
): Column[] {
  const rowOf = (label: string) => ours.find((each) => each.label === label)?.row;
  if (!given.against) {
    return [
      {
        title: placeOf(table),
        of(label) {
          const cell = rowOf(label)?.cells[given.metric];
          return cell ? formatInterval(cell.value, cell.ci95, cell) : '–';
        },
      },
    ];
  }
  const scores = new Map(ours.map(({ label, row }) => [label, scoresOf(row, table, results)]));
  const against = given.against
    .map((name) => ours.filter((each) => each.name === name && scores.get(each.label)!.size > 0))
    .find(({ length }) => length > 0);
  return (against ?? []).map(
    (other): Column => ({
      title: `${placeOf(table)}, against ${other.label}`,
      of(label) {
        const own = scores.get(label);
        const rate = own && winRate(own, scores.get(other.label)!);
        return rate ? formatInterval(rate.value, rate.ci, { few: rate.n < FEW }) : '–';
      },
    }),
  );
}

/** Mean over seeds of the score of each unit of a row. */
function scoresOf(
  { method, axes }: TableRow,
  { subject, site, task }: Table,
  results: readonly Result[],
): Map<string, number> {
  const own = results.filter(
    (result) =>
      result.task.id === task.id &&
      result.subject.id === subject.id &&
      result.site.name === site.name &&
      result.method.name === method.name,
  );
  const values = new Map<string, number[]>();
  const key = JSON.stringify(axes);
  for (const { samples } of own.flatMap(({ rows }) => rows).filter((row) => JSON.stringify(row.axes) === key)) {
    samples?.values.forEach((value, i) => {
      const unit = samples.ids?.[i] ?? String(i);
      values.set(unit, [...(values.get(unit) ?? []), value]);
    });
  }
  return new Map([...values].map(([unit, all]) => [unit, all.reduce((sum, value) => sum + value, 0) / all.length]));
}
