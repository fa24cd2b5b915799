/** @file Tables → LEADERBOARD.md. */
import { type Citation, citationLines } from './citation.ts';
import { leaderboardColumns } from './columns.ts';
import { markdownCode, markdownText } from './escape.ts';
import { axesLabel, embedderText, formatInterval, metricTitle, rowsText } from './format.ts';
import { frontsOf, matchedTable } from './fronts.ts';
import { judgingLine } from './judging.ts';
import { markedName, markLine } from './marks.ts';
import { methodName, overviewView, placeText } from './overview/markdown.ts';
import { meanRanks } from './overview/mean-rank.ts';
import { overviewOf } from './overview/overview.ts';
import { isFolded, isModel, placesOf, type ReportPart, type TaskPart, taskParts } from './overview/places.ts';
import type { BesideSection } from './published/beside.ts';
import { besideView } from './published/markdown.ts';
import { bandTitle, powerText, rankLabel } from './ranks.ts';
import type { SubmittedView } from './submitted/listed.ts';
import type { Table, TableRow } from './table.ts';
import { renderTemplate } from './template.ts';
import { unitTable } from './units.ts';

/** `topk` with its axes; baselines in italics, null rows marked. */
export function methodLabel({ method, axes, control }: Pick<TableRow, 'method' | 'axes' | 'control'>): string {
  const details = markdownText(axesLabel(axes));
  return `${methodName(method)}${control === 'method' ? ' (control)' : ''}${details ? ` · ${details}` : ''}${control === 'row' ? ' (control)' : ''}`;
}

/** Reasons of empty cells, each once, with the methods that it concerns. */
function reasonsOf(rows: readonly TableRow[], columns: readonly string[]): string[] {
  const byReason = new Map<string, Set<string>>();
  // What a method is compared with need not have all that the method has.
  for (const { method, cells, failures } of rows.filter(({ control }) => control !== 'row')) {
    for (const name of failures ? [] : columns) {
      const reason = cells[name]?.reason;
      if (!reason || cells[name]?.value !== null) continue;
      byReason.set(reason, (byReason.get(reason) ?? new Set()).add(method.name));
    }
  }
  const failed = new Map(rows.flatMap(({ method, failures }) => (failures ? [[method.name, failures] as const] : [])));
  return [
    ...[...byReason].map(([reason, methods]) => markdownText(`${[...methods].join(', ')}: ${reason}`)),
    ...[...failed].map(([method, failures]) => markdownText(`${method} failed: ${failures.join('; ')}`)),
  ];
}

/** The rows of each band under its title, in order; the details apart. */
export function rowGroups(rows: readonly TableRow[]): {
  bands: { title: string; rows: TableRow[] }[];
  details: TableRow[];
} {
  const bands: { title: string; rows: TableRow[] }[] = [];
  for (const row of rows) {
    if (row.detail) continue;
    if (bands.at(-1)?.title !== row.band) bands.push({ title: row.band, rows: [] });
    bands.at(-1)!.rows.push(row);
  }
  return { bands, details: rows.filter(({ detail }) => detail) };
}

function tableView(table: Table, tables: readonly Table[]) {
  const columns = leaderboardColumns(table);
  const rows = table.rows.filter(({ cells, failures }) => failures || columns.some((name) => cells[name]));
  const arrows = { max: ' ↑', min: ' ↓', none: '' };
  const directionOf = (name: string) => rows.find(({ cells }) => cells[name])?.cells[name]?.direction ?? 'none';
  const { subject, site, dataset, task } = table;
  const counts = [
    `d_in ${site.d_in}`,
    `dataset ${markdownCode(dataset.id)}`,
    rowsText(dataset, table.epochs),
    ...(dataset.concepts ? [`${dataset.concepts} concepts`] : []),
    ...embedderText(task).map(markdownText),
    `seeds ${table.seeds.join(', ')}`,
  ];
  const rowView = (row: TableRow) => ({
    rank: rankLabel(row),
    method: markedName(methodLabel(row), row.method.name, table.marks),
    cells: columns.map((name) => {
      const cell = row.cells[name];
      return cell ? formatInterval(cell.value, cell.ci95, cell) : '–';
    }),
  });
  const { bands, details } = rowGroups(rows);
  return {
    place: placeText(table),
    note: counts.join('; '),
    remarks: (subject.remarks ?? []).map(markdownText),
    notes: (dataset.notes ?? []).map(markdownText),
    withheld: table.withheld === undefined ? undefined : markdownText(table.withheld),
    unavailable: table.unavailable === undefined ? undefined : markdownText(table.unavailable),
    columns: columns.map((name) => `${markdownText(metricTitle(name))}${arrows[directionOf(name)]}`),
    bands: bands.map((band) => ({
      title: markdownText(bandTitle(band)),
      rows: band.rows.map(rowView),
      power: powerText(band.rows),
    })),
    details: details.map(rowView),
    matched: frontsOf(table, tables)
      .flatMap((front) => matchedTable(front, table) ?? [])
      .map(({ title, columns, rows }) => ({
        title: markdownText(title),
        columns: columns.map(markdownText),
        rows: rows.map((row) => ({ ...row, label: markdownText(row.label) })),
      })),
    units: unitsView(table),
    reasons: reasonsOf(rows, columns),
    marks: table.marks.map((mark) => markdownText(markLine(mark, table.seeds))),
    judging: table.judging.flatMap((each) => judgingLine(each) ?? []).map(markdownText),
  };
}

/** The main metric by unit: bold where it is told apart from chance. */
function unitsView(table: Table) {
  const found = unitTable(table);
  if (!found || table.main === undefined) return undefined;
  const { unit, rows, units, counts } = found;
  return {
    ...{ unit: markdownText(unit), metric: markdownText(metricTitle(table.main)), many: units.length },
    methods: rows.map((row) => methodLabel(row)),
    counts: counts.map(({ above, below }) => `${above} / ${below}`),
    rows: units.map(({ id, cells }) => ({
      id: markdownText(id),
      cells: cells.map((cell) => {
        if (!cell) return '–';
        const text = formatInterval(cell.value, cell.ci95);
        return cell.apart ? `**${text}**` : text;
      }),
    })),
  };
}

/** What is folded in the overview is folded here. */
const taskView = ({ title, parts }: TaskPart) => {
  const view = ({ table, place }: TaskPart['parts'][number]) => tableView(table, place.tables);
  return {
    title: markdownText(title),
    tables: parts.filter(({ place }) => !isFolded(place)).map(view),
    folded: parts.filter(({ place }) => isFolded(place)).map(view),
  };
};

/**
 * The leaderboard's text. `source` says where the results lie, for the reader; `beside` are our rows beside published ones,
 * `submitted` tells of methods that others sent in under `protocol`.
 */
export async function renderLeaderboard(
  parts: readonly ReportPart[],
  {
    beside = [],
    citation,
    ...options
  }: {
    limited: boolean;
    source?: string;
    beside?: readonly BesideSection[];
    citation: Citation;
    protocol?: string;
    submitted?: readonly SubmittedView[];
  },
): Promise<string> {
  const seeds = new Set(parts.flatMap(({ tables }) => tables.flatMap((table) => table.seeds)));
  const places = placesOf(parts);
  const ranks = meanRanks(places);
  const overviews = (folded: boolean) =>
    places.filter((place) => isFolded(place) === folded).map((place) => overviewView(overviewOf(place, ranks)));
  const text = await renderTemplate('leaderboard.md.hbs', {
    ...options,
    beside: beside.map(besideView),
    citation: citationLines(citation).map(markdownText),
    bibtex: citation.bibtex,
    overviews: overviews(false),
    folded: overviews(true),
    models: [
      ...new Set(places.filter(({ subject }) => isModel(subject)).map(({ subject }) => markdownText(subject.id))),
    ],
    tasks: taskParts(places).map(taskView),
    seedsText: seeds.size === 1 ? 'one seed' : `up to ${seeds.size} seeds`,
  });
  return `${text
    .trimEnd()
    .replaceAll(/ +$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')}\n`;
}
