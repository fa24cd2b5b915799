/** @file The table that a run ends with: each method's main metrics, means over seeds. */
import type { Result } from '../schema/result.generated.ts';

interface Cell {
  sum: number;
  n: number;
}

/** Value of the task's main metric in the first row that has one: tasks put their headline row first. */
function headline({ rows }: Result): { metric: string; value: number } | undefined {
  for (const { metrics } of rows) {
    for (const [metric, { main, value }] of Object.entries(metrics)) {
      if (main && value !== null) return { metric, value };
    }
  }
  return undefined;
}

/** One text table for each subject and site: methods down, tasks with their main metric across; `–` is an empty cell. */
export function summaryTable(results: readonly Result[]): string {
  const places = new Map<string, Result[]>();
  for (const result of results) {
    const place = `${result.subject.id} ${result.site.name}`;
    places.set(place, [...(places.get(place) ?? []), result]);
  }
  return [...places].map(([place, group]) => tableOf(place, group)).join('\n\n');
}

function tableOf(place: string, results: readonly Result[]): string {
  const cells = new Map<string, Map<string, Cell>>();
  const columns: string[] = [];
  for (const result of results) {
    const row = cells.get(result.method.name) ?? new Map<string, Cell>();
    cells.set(result.method.name, row);
    const found = headline(result);
    if (!found) continue;
    const column = `${result.task.id} (${found.metric})`;
    if (!columns.includes(column)) columns.push(column);
    const cell = row.get(column) ?? { sum: 0, n: 0 };
    row.set(column, { sum: cell.sum + found.value, n: cell.n + 1 });
  }
  const lines = [['method', ...columns]];
  for (const [method, row] of cells) {
    lines.push([method, ...columns.map((column) => show(row.get(column)))]);
  }
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = lines.map((line) =>
    line.map((word, i) => (i === 0 ? word.padEnd(widths[i]!) : word.padStart(widths[i]!))).join('  '),
  );
  return [place, text[0]!, '─'.repeat(text[0]!.length), ...text.slice(1)].join('\n');
}

function show(cell: Cell | undefined): string {
  if (cell === undefined) return '–';
  const mean = cell.sum / cell.n;
  return Math.abs(mean) >= 1000 || (mean !== 0 && Math.abs(mean) < 0.001) ? mean.toPrecision(3) : mean.toFixed(3);
}
