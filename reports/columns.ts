/** @file Which of a task's metrics a table has room for. */
import type { Table } from './aggregate.ts';

/** Columns of a leaderboard table: beyond this a reader scrolls sideways. The CSV and the HTML report have them all. */
const MAX_COLUMNS = 7;

/** The main metric, those that the task declares and the table has, then the others, up to the limit. */
export function leaderboardColumns(table: Table): string[] {
  const filled = (name: string) => table.rows.some(({ cells }) => cells[name] && cells[name].value !== null);
  const first = table.main ? [table.main] : [];
  const declared = (table.task.shows?.columns ?? []).filter((name) => table.metrics.includes(name) && filled(name));
  const rest = table.metrics.filter((name) => filled(name));
  return [...new Set([...first, ...declared, ...rest])].slice(0, MAX_COLUMNS);
}
