/**
 * @file Tables whose ranks are withheld: those that are a control themselves, and those where controls that must not, by the task's
 * declaration, do better than the best method.
 */
import type { ResultDisplay } from '../harness/schema/display.generated.ts';
import { formatNumber } from './format.ts';
import type { Table, TableRow } from './table.ts';

/** The title of a task's table, headed as the control that it is. */
export function taskTitle({ task, plantedControl }: Pick<Table, 'task' | 'plantedControl'>): string {
  if (plantedControl === undefined) return task.title;
  return `${plantedControl.charAt(0).toUpperCase()}${plantedControl.slice(1)}: ${task.title}`;
}

function takeRanks(rows: readonly TableRow[]): void {
  for (const row of rows) {
    row.rank = null;
    for (const name of ['standing', 'p', 'detectable', 'blind'] as const) delete row[name];
  }
}

/** Takes the ranks from all rows of a control. @returns Why, in a sentence. */
export function withholdControl(rows: readonly TableRow[], plantedControl: string): string {
  takeRanks(rows);
  return `Ranks withheld: ${plantedControl}, a positive control: the model was trained to be steered so.`;
}

/**
 * Takes the ranks from all rows where one of the declared controls has a better value than the best method.
 *
 * @returns Why, in a sentence; undefined where the ranks stay.
 */
export function withholdRanks(
  rows: readonly TableRow[],
  main: string,
  declared: ResultDisplay['withheld'],
): string | undefined {
  if (!declared) return undefined;
  const measured = rows.flatMap((row) => {
    const { value = null, direction = 'none' } = row.cells[main] ?? {};
    return row.detail || value === null ? [] : [{ row, value, better: direction === 'min' ? -value : value }];
  });
  const [best] = measured.filter(({ row }) => row.control === undefined).sort((a, b) => b.better - a.better);
  if (!best) return undefined;
  const above = measured.filter(({ row, better }) => declared.beatenBy.includes(row.method.id) && better > best.better);
  if (above.length === 0) return undefined;
  takeRanks(rows);
  const named = ({ row, value }: (typeof measured)[number]) => `${row.method.name} (${formatNumber(value)})`;
  return `Ranks withheld: ${above.map(named).join(', ')} above the best method, ${named(best)}: ${declared.reason}.`;
}
