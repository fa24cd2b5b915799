/** @file The table that a run ends with: each method's main metrics, means over seeds, with the ranks of the reports. */

import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { byPlace } from './group-by.ts';
import { markedName, markLine } from './marks.ts';
import { rankLabel } from './ranks.ts';
import { tellApart } from './settings.ts';
import type { Table, TableRow } from './table.ts';

const LIMITED = 'Limited run (--limit): sizes were cut, so these numbers compare nothing. Do not quote them.';

/** One text table for each subject and site: methods down, tasks with their main metric across; `–` is an empty cell. */
export function summaryTable(results: readonly Result[]): string {
  const texts = byPlace(buildTables(tellApart(results))).map(textOf);
  return [...(results.some(({ limited }) => limited) ? [LIMITED] : []), ...texts].join('\n\n');
}

/** The row of each method that a table is ranked by. */
const headlines = ({ rows }: Table): TableRow[] => rows.filter(({ detail }) => !detail);

function textOf(tables: readonly Table[]): string {
  const { subject, site } = tables[0]!;
  const shown = tables.filter(({ main }) => main !== undefined);
  const methods = [...new Set(shown.flatMap((table) => headlines(table).map(({ method }) => method.name)))];
  const marks = shown.flatMap((table) => table.marks);
  const below = new Set([
    ...shown.flatMap(({ task, withheld }) => (withheld ? `${task.id}: ${withheld}` : [])),
    ...shown.flatMap((table) => table.marks.map((mark) => markLine(mark, table.seeds))),
  ]);
  const lines = [
    ['method', ...shown.map(({ task, main }) => `${task.id} (${main})`)],
    ...methods.map((method) => [
      markedName(method, method, marks),
      ...shown.map((table) => {
        const row = headlines(table).find((each) => each.method.name === method);
        return row ? show(row, table.main!) : '–';
      }),
    ]),
  ];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = lines.map((line) =>
    line.map((word, i) => (i === 0 ? word.padEnd(widths[i]!) : word.padStart(widths[i]!))).join('  '),
  );
  return [`${subject.id} ${site.name}`, text[0]!, '─'.repeat(text[0]!.length), ...text.slice(1), ...below].join('\n');
}

/** Its value with its rank, aligned in columns. */
function show(row: TableRow, main: string): string {
  const value = row.cells[main]?.value;
  if (value === null || value === undefined) return row.failures ? 'failed' : '–';
  const text =
    Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 0.001) ? value.toPrecision(3) : value.toFixed(3);
  return `${text} ${(row.rank === null ? '' : `(${rankLabel(row)})`).padStart('(≈ 10)'.length)}`;
}
