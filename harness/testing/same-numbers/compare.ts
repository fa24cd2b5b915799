/** @file Two `results.csv` compared line by line, but for what may differ between two states of the code. */
import { readCsvRecords } from '../../io/csv.ts';

/** Columns that tell which code made a number, and not which number it is. */
const CODE_COLUMNS = ['task_version', 'key'];

/** Differences shown of one pair of files. */
const SHOWN = 5;

/** Each line without the columns of the code, as text; the order of the lines counts. */
async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const record of readCsvRecords(file)) {
    for (const column of CODE_COLUMNS) delete record[column];
    lines.push(JSON.stringify(record));
  }
  return lines;
}

/** What differs: its length is the number of lines that differ, or that one file has beyond the other. */
export interface Comparison {
  lines: number;
  different: number;
  /** The first few, as "line N: before … after …". */
  examples: string[];
}

/**
 * Compares results of two states of the code.
 *
 * @throws UserError for a file that is missing or no CSV.
 */
export async function compareResults(before: string, after: string): Promise<Comparison> {
  const [old, now] = await Promise.all([linesOf(before), linesOf(after)]);
  const lines = Math.max(old.length, now.length);
  const at = Array.from({ length: lines }, (_, line) => line).filter((line) => old[line] !== now[line]);
  const examples = at
    .slice(0, SHOWN)
    .map((line) => `line ${line + 2}:\n    before ${old[line] ?? '(none)'}\n    after  ${now[line] ?? '(none)'}`);
  return { lines, different: at.length, examples };
}
