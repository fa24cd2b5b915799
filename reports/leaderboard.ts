/** @file Tables → LEADERBOARD.md. */
import type { ResultSubject } from '../harness/schema/result.generated.ts';
import { leaderboardColumns } from './columns.ts';
import { markdownCode, markdownText } from './escape.ts';
import { axesLabel, embedderText, formatInterval, metricTitle, rowsText } from './format.ts';
import { frontsOf, matchedTable } from './fronts.ts';
import { byPlace } from './group-by.ts';
import { judgingLine } from './judging.ts';
import { markedName, markLine } from './marks.ts';
import type { BesideSection } from './published/beside.ts';
import { bandTitle, powerText, rankLabel } from './ranks.ts';
import type { Table, TableRow } from './table.ts';
import { renderTemplate } from './template.ts';

const MODALITY_TITLES: Record<ResultSubject['modality'], string> = {
  text: 'Language models',
  image: 'Vision models',
  vectors: 'Worlds of known features',
};

/** `topk` with its axes; baselines in italics, null rows marked. */
export function methodLabel({ method, axes, control }: Pick<TableRow, 'method' | 'axes' | 'control'>): string {
  const shown = markdownText(method.name);
  const name = method.kind === 'baseline' ? `*${shown}*` : `**${shown}**`;
  const details = markdownText(axesLabel(axes));
  return `${name}${control === 'method' ? ' (control)' : ''}${details ? ` · ${details}` : ''}${control === 'row' ? ' (control)' : ''}`;
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
    taskTitle: markdownText(task.title),
    subject: markdownText(subject.id),
    site: markdownCode(site.name),
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
    reasons: reasonsOf(rows, columns),
    marks: table.marks.map((mark) => markdownText(markLine(mark, table.seeds))),
    judging: table.judging.flatMap((each) => judgingLine(each) ?? []).map(markdownText),
  };
}

/** Tables under one heading, e.g. those of one suite among several; without it, by modality alone. */
export interface LeaderboardPart {
  heading?: string;
  tables: readonly Table[];
}

function modalityViews({ heading, tables }: LeaderboardPart) {
  const atPlace = new Map(byPlace(tables).flatMap((own) => own.map((table) => [table, own] as const)));
  return [...new Set(tables.map(({ subject }) => subject.modality))].map((modality) => ({
    title: heading === undefined ? MODALITY_TITLES[modality] : `${heading}: ${MODALITY_TITLES[modality].toLowerCase()}`,
    tables: tables
      .filter(({ subject }) => subject.modality === modality)
      .map((table) => tableView(table, atPlace.get(table)!)),
  }));
}

function besideView({ title, source, notes, published, tables }: BesideSection) {
  return {
    title: markdownText(title),
    source: markdownText(source),
    notes: notes.map(markdownText),
    tables: tables.map(({ title: name, columns, warnings, rows }) => ({
      title: markdownText(name),
      columns: columns.map(markdownText),
      published: published.map((column) => markdownText(`published: ${column}`)),
      warnings: warnings.map(markdownText),
      rows: rows.map((row) => ({ ...row, name: markdownText(row.name), ours: markdownText(row.ours) })),
    })),
  };
}

/** The leaderboard's text. `source` says where the results lie, for the reader; `beside` are our rows beside published ones. */
export async function renderLeaderboard(
  parts: readonly LeaderboardPart[],
  { beside = [], ...options }: { limited: boolean; source?: string; beside?: readonly BesideSection[] },
): Promise<string> {
  const seeds = new Set(parts.flatMap(({ tables }) => tables.flatMap((table) => table.seeds)));
  const text = await renderTemplate('leaderboard.md.hbs', {
    ...options,
    modalities: parts.flatMap(modalityViews),
    beside: beside.map(besideView),
    seedsText: seeds.size === 1 ? 'one seed' : `up to ${seeds.size} seeds`,
  });
  return `${text
    .trimEnd()
    .replaceAll(/ +$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')}\n`;
}
