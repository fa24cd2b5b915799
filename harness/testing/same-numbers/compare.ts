/** @file Two `results.csv` compared line by line, but for what may differ between two states of the code. */
import { readCsvRecords } from '../../io/csv.ts';

/** Columns that tell which code made a number, and not which number it is. */
const CODE_COLUMNS = ['task_version', 'key'];

/** What a metric that depends on the machine (column `measured`) may have another of in each run. */
const VALUE_COLUMNS = ['value', 'ci95_low', 'ci95_high', 'n', 'rank', 'standing', 'detectable'];

/** Differences shown of one pair of files. */
const SHOWN = 5;

/** Columns that hold options as JSON: one that the older code did not have does not make another number by itself. */
const OPTION_COLUMNS = ['method_options', 'training_options', 'task_options', 'dataset_options'];

type Line = Record<string, string>;

/** Each line without the columns of the code; the order of the lines counts. */
async function linesOf(file: string): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const record of readCsvRecords(file)) {
    for (const column of CODE_COLUMNS) delete record[column];
    if (record['measured'] === 'true') for (const column of VALUE_COLUMNS) delete record[column];
    // Older code has no such column, and no such metric.
    delete record['measured'];
    lines.push(record);
  }
  return lines;
}

/** A line without the options that `older` lacks. */
function withoutNewOptions(line: Line, older: Line): Line {
  const known = (column: string): string => {
    const [own, had] = [line[column], older[column]].map((text) => JSON.parse(text!) as Record<string, unknown>);
    return JSON.stringify(Object.fromEntries(Object.entries(own!).filter(([name]) => Object.hasOwn(had!, name))));
  };
  const columns = OPTION_COLUMNS.filter((column) => line[column] && older[column] && line[column] !== older[column]);
  return { ...line, ...Object.fromEntries(columns.map((column) => [column, known(column)])) };
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
  const [older, newer] = await Promise.all([linesOf(before), linesOf(after)]);
  const old = older.map((line) => JSON.stringify(line));
  const now = newer.map((line, i) => JSON.stringify(older[i] ? withoutNewOptions(line, older[i]) : line));
  const lines = Math.max(old.length, now.length);
  const at = Array.from({ length: lines }, (_, line) => line).filter((line) => old[line] !== now[line]);
  const examples = at
    .slice(0, SHOWN)
    .map((line) => `line ${line + 2}:\n    before ${old[line] ?? '(none)'}\n    after  ${now[line] ?? '(none)'}`);
  return { lines, different: at.length, examples };
}
