/** @file Tables → what the template of the HTML report shows of them. */
import { tableColumns } from '../columns.ts';
import { axesLabel, formatInterval, formatNumber, metricTitle } from '../format.ts';
import { judgingLine } from '../judging.ts';
import { rowGroups } from '../leaderboard.ts';
import { markedName, markLine } from '../marks.ts';
import { bandTitle, powerText, rankLabel } from '../ranks.ts';
import type { Cell, Table, TableRow } from '../table.ts';

export const ARROWS = { max: '↑', min: '↓', none: '' } as const;

const BETTER = { max: 'More is better.', min: 'Less is better.', none: '' } as const;

/** Of a metric, for the pointer over its column. */
export const definitionText = ({ task }: Pick<Table, 'task'>, metric: string): string => {
  const { description = '', direction = 'none', unit = '' } = task.metrics[metric] ?? {};
  return [description, unit && `In ${unit}.`, BETTER[direction]].filter(Boolean).join(' ');
};

/** What rows are found by: an SAE, a baseline, or a control of either. */
export const kindOf = ({ kind }: TableRow['method'], control: boolean): string => (control ? 'control' : kind);

/** How a row compares with the first, for the pointer over its rank. */
function standingText({ rank, standing, p, detectable, blind }: TableRow): string {
  if (standing === 'alone') return 'alone in its band';
  if (rank === null) return 'not ranked';
  if (standing === undefined) return 'the first';
  if (standing === 'untested') return 'no units or seeds in common with the first to test on';
  const power =
    detectable === undefined
      ? ''
      : blind
        ? `; nothing can be told: only a difference of ${formatNumber(detectable)}, larger than the scale has room for, would be found`
        : `; a difference of ${formatNumber(detectable)} would be found (power 80 %)`;
  if (p === undefined)
    return standing === 'tied' ? 'equal to the first' : 'worse than the first: counted, not measured';
  return `${standing === 'tied' ? 'not told apart from' : 'worse than'} the first: corrected p = ${formatNumber(p)}${power}`;
}

/** A cell's text, what it is sorted by, and what the pointer over it says. */
export function cellView(cell: Cell | undefined) {
  if (!cell) return { text: '–', hint: 'not computed for this row' };
  const spread = cell.sd === null ? '' : `; sd over ${cell.seeds} seeds ${formatNumber(cell.sd)}`;
  return {
    text: formatInterval(cell.value, cell.ci95, cell),
    hint: cell.reason ?? `n = ${cell.n}${spread}`,
    ...(cell.value === null ? {} : { value: String(cell.value) }),
  };
}

export function tableView(table: Table) {
  const columns = tableColumns(table);
  const firstCell = (name: string) => table.rows.find(({ cells }) => cells[name])?.cells[name];
  const rowView = (row: TableRow) => ({
    failed: row.failures && `failed: ${row.failures.join('; ')}`,
    rank: rankLabel(row),
    rankValue: row.rank === null ? undefined : String(row.rank),
    standing: standingText(row),
    method: markedName(row.method.name, row.method.name, table.marks),
    name: row.method.name,
    title: row.method.title,
    kind: row.method.kind,
    kindName: kindOf(row.method, row.control !== undefined),
    control: row.control !== undefined,
    axes: axesLabel(row.axes),
    cells: columns.map((name) => cellView(row.cells[name])),
  });
  const { bands, details } = rowGroups(table.rows);
  return {
    columns: columns.map((name) => ({
      title: metricTitle(name),
      arrow: ARROWS[firstCell(name)?.direction ?? 'none'],
      unit: firstCell(name)?.unit,
      definition: definitionText(table, name),
    })),
    bands: bands.map((band) => ({
      title: bandTitle(band),
      rows: band.rows.map(rowView),
      power: powerText(band.rows)?.replaceAll('`', ''),
    })),
    details: details.map(rowView),
    marks: [
      ...table.marks.map((mark) => markLine(mark, table.seeds)),
      ...table.judging.flatMap((each) => judgingLine(each) ?? []),
    ],
    width: columns.length + 2,
  };
}
