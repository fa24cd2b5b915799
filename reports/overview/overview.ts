/** @file One row a method over all tasks at a place: what a reader sees first. */
import { metricTitle } from '../format.ts';
import { MARK } from '../marks.ts';
import type { Cell, Table, TableRow } from '../table.ts';
import { headlines, isRating, mainOf, nameOf, signOf } from './bands.ts';
import { type MeanRank, ranksAt } from './mean-rank.ts';
import { isModel, type Place } from './places.ts';

export interface OverviewColumn {
  table: Table;
  metric: string;
  title: string;
  direction: Cell['direction'];
}

export interface OverviewCell {
  cell?: Cell;
  /** By the tests of its table: the first of its band, or not told apart from it. Of columns that rank alone. */
  standing?: 'first' | 'tied';
}

export interface OverviewRow {
  method: TableRow['method'];
  control: boolean;
  /** In the order of the columns. */
  cells: OverviewCell[];
  meanRank?: MeanRank;
  /** In a word each, the warnings of its tables among them. */
  marks: string[];
}

export interface Overview {
  place: Place;
  columns: OverviewColumn[];
  bands: { title: string; rows: OverviewRow[] }[];
  /** Which row of a method each task shows here, where it has several: `concept detection: selection auroc or detector`. */
  selections: string[];
  /** Ranks that are withheld, by task. */
  withheld: string[];
}

function columnsOf({ tables }: Place): OverviewColumn[] {
  return tables.flatMap((table) => {
    const { main, task, rows } = table;
    const { bands, costs, overview = [] } = task.shows ?? {};
    const names = [...new Set([...(bands ? [bands.metric] : []), ...(main ? [main] : []), ...overview])];
    return names.flatMap((metric) => {
      const cell = rows.find((row) => !row.detail && row.cells[metric]?.value != null)?.cells[metric];
      if (!cell) return [];
      const title = bands || costs ? metricTitle(metric) : `${nameOf(table)}: ${metricTitle(metric)}`;
      return [{ table, metric, title, direction: cell.direction }];
    });
  });
}

function cellOf({ table, metric }: OverviewColumn, method: string): OverviewCell {
  const row = headlines(table).find((each) => each.method.name === method);
  const cell = row?.cells[metric];
  if (!row || !cell) return {};
  if (metric !== table.main || row.rank === null) return { cell };
  if (row.standing === undefined) return { cell, standing: 'first' };
  return row.standing === 'tied' ? { cell, standing: 'tied' } : { cell };
}

/** A suite names an SAE that others trained by its place. */
const isPublished = ({ id }: TableRow['method']): boolean => id === 'checkpoint';

function marksOf(tables: readonly Table[], { name, ...method }: TableRow['method'], control: boolean): string[] {
  const codes = tables.flatMap(({ marks }) => marks.filter((mark) => mark.method === name).map(({ code }) => code));
  return [
    ...(control ? ['control'] : []),
    ...(isPublished({ name, ...method }) ? ['published'] : []),
    ...(tables.some(({ limited }) => limited.includes(name)) ? ['limited'] : []),
    ...[...new Set(codes)].map((code) => `${MARK} ${code.replaceAll('-', ' ')}`),
  ];
}

function selectionsOf({ tables }: Place): string[] {
  return tables.flatMap((table) => {
    const rows = headlines(table).filter(({ control }) => control === undefined);
    const axes = [...new Set(rows.flatMap((row) => Object.keys(row.axes)))];
    const told = axes.map((axis) => {
      const values = [...new Set(rows.flatMap((row) => row.axes[axis] ?? []))];
      return `${axis} ${values.join(' or ')}`;
    });
    return told.length === 0 ? [] : [`${nameOf(table)}: ${told.join(', ')}`];
  });
}

const UNRANKED = 'dense codes, or none: not compared by size';

/** The overview of a place. @param ranks The mean rank of SAEs over models: says nothing where a place is of none. */
export function overviewOf(place: Place, ranks: ReadonlyMap<string, MeanRank>): Overview {
  const { tables } = place;
  const columns = columnsOf(place);
  const overModels = isModel(place.subject) ? ranks : new Map<string, MeanRank>();
  const own = ranksAt(place);
  const lines = new Map<string, TableRow>();
  // Tables are in the order of columns, so that a row's band is that of the table that has bands.
  for (const row of tables.flatMap(headlines)) if (!lines.has(row.method.name)) lines.set(row.method.name, row);
  const first = tables.find((table) => isRating(table) && !table.task.shows?.bands) ?? tables.find(isRating);
  const scoreOf = (name: string): number => {
    const row = first && headlines(first).find(({ method }) => method.name === name);
    const value = row && mainOf(first, row);
    return value == null ? -Infinity : value * signOf(first!);
  };
  const rows = [...lines.values()].map(({ method, control, band, rank, standing }) => ({
    method,
    control: control !== undefined,
    cells: columns.map((column) => cellOf(column, method.name)),
    ...(overModels.has(method.name) ? { meanRank: overModels.get(method.name)! } : {}),
    marks: marksOf(tables, method, control !== undefined),
    band: (rank !== null || standing !== undefined) && control === undefined ? band : UNRANKED,
  }));
  const order = (row: (typeof rows)[number]): number[] => [
    Number(row.control),
    own.get(row.method.name) ?? 2,
    -scoreOf(row.method.name),
  ];
  rows.sort((a, b) => {
    const [left, right] = [order(a), order(b)];
    const at = left.findIndex((value, i) => value !== right[i]);
    return at < 0 ? 0 : left[at]! - right[at]!;
  });
  // In the order of the table that has them; what no band ranks comes last.
  const banded = tables.find(({ task }) => task.shows?.bands);
  const titles = banded ? [...new Set(headlines(banded).map(({ band }) => band))] : [''];
  const bands = [...titles, UNRANKED].map((title) => ({
    title,
    rows: rows.filter((row) => (banded ? row.band : '') === title).map(({ band: _band, ...row }) => row),
  }));
  return {
    place,
    columns,
    bands: bands.filter((band) => band.rows.length > 0),
    selections: selectionsOf(place),
    withheld: tables.flatMap((table) => (table.withheld ? [`${nameOf(table)}: ${table.withheld}`] : [])),
  };
}
