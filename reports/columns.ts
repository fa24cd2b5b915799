/** @file Which of a task's metrics a table has room for. */
import type { Table } from './table.ts';

/** Columns of a leaderboard table that the task did not ask for come up to here. The CSV and the HTML report have them all. */
const MAX_COLUMNS = 7;

/** Metrics that have a value somewhere in the table: the main one and those that the task declares, in its order. */
function declaredColumns({ main, task, metrics }: Table, filled: (name: string) => boolean): string[] {
  const shown = (task.shows?.columns ?? []).filter((name) => metrics.includes(name) && filled(name));
  return [...new Set([...(main ? [main] : []), ...shown])];
}

const filledIn =
  ({ rows }: Table) =>
  (name: string) =>
    rows.some(({ cells }) => cells[name] && cells[name].value !== null);

/** The metrics that a table has values of: the main one, those that the task declares, then the others. */
export function tableColumns(table: Table): string[] {
  const filled = filledIn(table);
  return [...new Set([...declaredColumns(table, filled), ...table.metrics.filter(filled)])];
}

/** All that the task declares, and others where there is room. */
export function leaderboardColumns(table: Table): string[] {
  const declared = declaredColumns(table, filledIn(table));
  return tableColumns(table).slice(0, Math.max(MAX_COLUMNS, declared.length));
}
