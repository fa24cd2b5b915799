/** @file The history of a suite: JSON lines, one a score and run, with commit and machine. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { UserError } from '../../harness/errors.ts';
import { atomicWriteFile } from '../../harness/io/atomic.ts';
import { sha256Json } from '../../harness/io/hash.ts';
import { readJsonl } from '../../harness/io/jsonl.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { type Score, scoresOf } from '../scores.ts';

/** What all lines of one run have in common. */
export interface HistoryRun {
  /** Digest of the results: the same run again is no other one. */
  run: string;
  /** When it was added, in ISO 8601. */
  recorded: string;
  suite: string;
  saxbench: string;
  commit: string | null;
  dirty: boolean;
  machine: string;
  backend: string;
  limited: boolean;
}

export type HistoryRow = HistoryRun & Score;

const RUN_DIGITS = 16;

/** Of the content of the results, in whatever order they were read. */
const runDigest = (results: readonly Result[]): string =>
  sha256Json(results.map(({ checksum, key }) => checksum ?? key).sort()).slice(0, RUN_DIGITS);

/** The lines of one run. @throws UserError where results are of several suites or commits. */
export function historyRows(results: readonly Result[], recorded: Date, where: string): HistoryRow[] {
  const one = (what: string, of: (result: Result) => string | null): string | null => {
    const values = [...new Set(results.map(of))];
    if (values.length === 1) return values[0]!;
    throw new UserError(`history: expected results of one ${what} in ${where}; found ${values.join(', ')}.`);
  };
  const { provenance } = results[0]!;
  const run: HistoryRun = {
    run: runDigest(results),
    recorded: recorded.toISOString(),
    suite: one('suite', ({ suite }) => suite.id)!,
    saxbench: provenance.saxbench,
    commit: one('commit', ({ provenance: { git } }) => git?.commit ?? null),
    dirty: results.some(({ provenance: { git } }) => git?.dirty === true),
    machine: one('machine', ({ provenance: { cpu, cores } }) => `${cpu} (${cores ?? '?'} cores)`)!,
    backend: one('backend', ({ provenance: { backend } }) => backend.name)!,
    limited: results.some(({ limited }) => limited),
  };
  return scoresOf(results).map((score) => ({ ...run, ...score }));
}

const TEXTS = [
  ...['run', 'recorded', 'suite', 'saxbench', 'machine', 'backend'],
  ...['subject', 'site', 'task', 'method', 'metric', 'unit', 'direction', 'settings'],
];
const SWITCHES = ['dirty', 'limited', 'main', 'control', 'measured'];

/** What is wrong with a line; undefined for a row. */
function complaint(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected an object';
  const row = value as Record<string, unknown>;
  const text = TEXTS.find((name) => typeof row[name] !== 'string');
  if (text !== undefined) return `${text}: expected a text`;
  const open = SWITCHES.find((name) => typeof row[name] !== 'boolean');
  if (open !== undefined) return `${open}: expected true or false`;
  if (row['commit'] !== null && typeof row['commit'] !== 'string') return 'commit: expected a text or null';
  if (row['value'] !== null && !Number.isFinite(row['value'])) return 'value: expected a number or null';
  const { sd, seeds, axes } = row;
  if (sd !== null && !(Number.isFinite(sd) && (sd as number) >= 0))
    return 'sd: expected a number of at least 0, or null';
  if (!(Number.isSafeInteger(seeds) && (seeds as number) >= 0)) return 'seeds: expected a count';
  if (typeof axes !== 'object' || axes === null || !Object.values(axes).every((each) => typeof each === 'string')) {
    return 'axes: expected texts by name';
  }
  return undefined;
}

const placeOf = ({ run, subject, site, task, method, axes, metric }: HistoryRow): string =>
  JSON.stringify([run, subject, site, task, method, axes, metric]);

/**
 * The lines of a history, oldest first; none of a file that is not there.
 *
 * @throws UserError naming the line that is no row, or there twice.
 */
export async function readHistory(file: string): Promise<HistoryRow[]> {
  if (!existsSync(file)) return [];
  const rows: HistoryRow[] = [];
  const places = new Set<string>();
  for await (const value of readJsonl(file)) {
    const where = `history ${file}: row ${rows.length + 1}`;
    const wrong = complaint(value);
    if (wrong !== undefined) throw new UserError(`${where}: ${wrong}. Remove the line, or name another --history.`);
    const row = value as HistoryRow;
    if (places.has(placeOf(row))) throw new UserError(`${where}: is there twice. Remove one of the lines.`);
    places.add(placeOf(row));
    rows.push(row);
  }
  return rows;
}

/**
 * Adds a run to a history: all of its lines or none, and none where they are there. The caller holds a lock.
 *
 * @returns All lines, and whether the run is new.
 */
export async function appendRun(
  file: string,
  rows: readonly HistoryRow[],
): Promise<{ rows: HistoryRow[]; added: boolean }> {
  const known = await readHistory(file);
  if (known.some(({ run }) => run === rows[0]?.run)) return { rows: known, added: false };
  const before = existsSync(file) ? await readFile(file, 'utf8') : '';
  const whole = before === '' || before.endsWith('\n') ? before : `${before}\n`;
  await atomicWriteFile(file, whole + rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { rows: [...known, ...rows], added: true };
}
