/** @file Which of a task's metrics a table has room for. */
import type { Table } from './table.ts';

/** Columns of a leaderboard table: beyond this a reader scrolls sideways. The CSV and the HTML report have them all. */
const MAX_COLUMNS = 7;

/** The metrics that a table has values of: the main one, those that the task declares, then the others. */
export function tableColumns(table: Table): string[] {
  const filled = (name: string) => table.rows.some(({ cells }) => cells[name] && cells[name].value !== null);
  const first = table.main ? [table.main] : [];
  const declared = (table.task.shows?.columns ?? []).filter((name) => table.metrics.includes(name) && filled(name));
  return [...new Set([...first, ...declared, ...table.metrics.filter(filled)])];
}

/** The first of them, up to the limit. */
export const leaderboardColumns = (table: Table): string[] => tableColumns(table).slice(0, MAX_COLUMNS);
