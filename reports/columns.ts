/** @file Which of a task's metrics a table has room for. */
import type { Table } from './aggregate.ts';

/** Columns of a leaderboard table: beyond this a reader scrolls sideways. The CSV and the HTML report have them all. */
const MAX_COLUMNS = 7;

/** Preferred columns of the known tasks, after the main metric; what a table lacks is skipped. */
export const PREFERRED: Record<string, string[]> = {
  reconstruction: [
    'l0',
    'ce_loss_score',
    'kl_score',
    'zero_shot_change',
    'logit_change',
    'cosine',
    'l2_ratio',
    'fraction_alive',
  ],
  'concept-detection': ['auroc_hard', 'f1', 'average_precision', 'auroc_1pct', 'f1_1pct', 'hard_negative_accuracy'],
  steering: ['concept', 'instruct', 'fluency', 'target_lift', 'flip_rate', 'off_target', 'drift', 'factor'],
  monosemanticity: ['ms_median', 'ms_norm', 'ms_supported', 'ms_floor', 'dead', 'single', 'l0'],
};

/** The main metric, the preferred ones that the table has, then the others, up to the limit. */
export function leaderboardColumns(table: Table): string[] {
  const filled = (name: string) => table.rows.some(({ cells }) => cells[name] && cells[name].value !== null);
  const first = table.main ? [table.main] : [];
  const preferred = (PREFERRED[table.task.id] ?? []).filter((name) => table.metrics.includes(name) && filled(name));
  const rest = table.metrics.filter((name) => filled(name));
  return [...new Set([...first, ...preferred, ...rest])].slice(0, MAX_COLUMNS);
}
