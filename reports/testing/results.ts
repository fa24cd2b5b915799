/** @file Results for the tests of the reports: those of a small run, and some of them with other values in their place. */
import { readFileSync } from 'node:fs';
import { sha256Json } from '../../harness/io/hash.ts';
import type { ResultMetricDefinition } from '../../harness/schema/metric-definition.generated.ts';
import type { Result, ResultMetric } from '../../harness/schema/result.generated.ts';

/** Where `npm run report-fixtures` keeps the small run. */
export const SMALL_RUN = new URL('small.jsonl', import.meta.url);

/** All results of the small run, anew at each call. */
export const smallRun = (): Result[] =>
  readFileSync(SMALL_RUN, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);

let known: readonly Result[] | undefined;

/** One result of it, anew at each call: the whole run is read once, since grids of results are made of one. */
export function realResult(method: string, task: string, seed = 0): Result {
  known ??= smallRun();
  const found = known.find((result) => {
    return result.method.name === method && result.task.id === task && result.seed === seed;
  });
  if (!found) throw new Error(`the small run has no ${method} on ${task} with seed ${seed}`);
  return structuredClone(found);
}

/** The lines of a leaderboard's tables that rank: below the overview. */
export const rankedLines = (leaderboard: string): string[] =>
  leaderboard
    .slice(leaderboard.indexOf('\n## How to read'))
    .split('\n')
    .filter((line) => line.startsWith('|'));

/** A measurement with what is said of its metric, which results keep apart. */
type DefinedMetric = ResultMetric & ResultMetricDefinition;

type DefinedRow = Omit<Result['rows'][number], 'metrics'> & { metrics: Record<string, DefinedMetric> };

/** A measurement of a metric of which more is better. */
export const metric = (
  value: number | null,
  ci95: [number, number] | null,
  more: Partial<DefinedMetric> = {},
): DefinedMetric => ({
  value,
  ci95,
  n: value === null ? 0 : 10,
  unit: '',
  direction: 'max',
  range: [null, null],
  ...(value === null ? { reason: 'has no decoder' } : {}),
  ...more,
});

/** The measurement and the metric. */
function split({ unit, direction, range, main, version, counted, ...measured }: DefinedMetric) {
  const definition = {
    unit,
    direction,
    range,
    ...(main ? { main } : {}),
    ...(version ? { version } : {}),
    ...(counted ? { counted } : {}),
  };
  return { measured: measured as ResultMetric, definition: definition as ResultMetricDefinition };
}

function splitRows(rows: readonly DefinedRow[]) {
  const metrics: Result['task']['metrics'] = {};
  const measured = rows.map((row) => ({
    ...row,
    metrics: Object.fromEntries(
      Object.entries(row.metrics).map(([name, given]) => {
        const { measured, definition } = split(given);
        metrics[name] = definition;
        return [name, measured];
      }),
    ),
  }));
  return { rows: measured, metrics };
}

/**
 * The result of a real method with other rows, under another name; any field can be given. What only the method itself had
 * (curves, training, marks) is left out, and the task shows its curves alone.
 */
export function resultWith(
  name: string,
  defined: readonly DefinedRow[],
  more: Partial<Result> & { kind?: 'sae' | 'baseline' } = {},
): Result {
  const { kind = 'sae', ...fields } = more;
  const { rows, metrics } = splitRows(defined);
  const real = realResult(kind === 'sae' ? 'relu' : 'pca', 'concept-detection');
  const { curves: _curves, training: _training, marks: _marks, ...base } = real;
  const method = { ...base.method, id: name, name, title: `Method ${name}`, identity: sha256Json(name) };
  const task = { ...base.task, shows: { curves: base.task.shows!.curves! }, ...fields.task, metrics };
  return { ...base, method, rows, ...fields, task };
}
