/** @file Results: one schema-checked JSON file for each (subject, site, method, task, seed), written atomically. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MetricDefinition, TaskOutcome } from './contract/task.ts';
import { ContractError, shown } from './errors.ts';
import { atomicWriteJson } from './io/atomic.ts';
import { readJson } from './io/json.ts';
import type { Result, ResultMetric, ResultRowRecord } from './schema/result.generated.ts';
import { validate } from './schema/validate.ts';

/** Version of the result format. */
export const RESULT_SCHEMA = 1;

/** What a result's place is made of. */
export interface ResultPlace {
  subject: string;
  site: string;
  method: string;
  task: string;
  seed: number;
}

/** `<out>/results/<subject>/<site>/<method>/<task>/seed-<n>.json`. */
export function resultFile(out: string, place: ResultPlace): string {
  return join(out, 'results', place.subject, place.site, place.method, place.task, `seed-${place.seed}.json`);
}

/** Relative overshoot of a range that rounding explains: 1 + 1e-9 is an AUROC of 1. */
const ROUNDING = 1e-6;

/**
 * A task's rows with what each metric's declaration adds. Refuses what would mislead: metrics that the task does not
 * declare, numbers that are not finite, outside their range, or missing without a reason.
 *
 * @param where Starts the message, e.g. `task steering`.
 * @throws ContractError naming row, metric, expected and found.
 */
export function checkedRows(
  outcome: TaskOutcome,
  metrics: Record<string, MetricDefinition>,
  where: string,
): ResultRowRecord[] {
  return outcome.rows.map(({ axes, metrics: values, control }, i) => {
    const checked: Record<string, ResultMetric> = {};
    for (const [name, { value, ci95, n, units, reason }] of Object.entries(values)) {
      const definition = metrics[name];
      const at = `${where}: row ${i} (${shown(axes)}): metric '${name}'`;
      if (!definition)
        throw new ContractError(`${at}: not declared; the task declares ${Object.keys(metrics).join(', ')}`);
      if (value === null && !reason) throw new ContractError(`${at}: an empty cell needs a reason`);
      if (!Number.isInteger(n) || n < 0) throw new ContractError(`${at}: n: expected a count; found ${n}`);
      for (const number of [value, ...(ci95 ?? [])]) if (number !== null) checkNumber(number, definition, at);
      const { unit, direction, range, main, version } = definition;
      checked[name] = {
        value,
        ci95,
        n,
        ...(units === undefined ? {} : { units }),
        unit,
        direction,
        range,
        ...(main ? { main } : {}),
        ...(version === undefined ? {} : { version }),
        ...(reason === undefined ? {} : { reason }),
      };
    }
    return { axes, metrics: checked, ...(control ? { control } : {}) };
  });
}

function checkNumber(value: number, { range: [low, high] }: MetricDefinition, at: string): void {
  if (!Number.isFinite(value)) throw new ContractError(`${at}: expected a finite number; found ${value}`);
  const slack = ROUNDING * Math.max(1, Math.abs(low ?? 0), Math.abs(high ?? 0));
  if ((low !== null && value < low - slack) || (high !== null && value > high + slack)) {
    throw new ContractError(`${at}: expected a value in [${low ?? '−∞'}, ${high ?? '∞'}]; found ${value}`);
  }
}

/** Throws when a value anywhere in `value` is not a number that JSON carries, naming its place. */
export function refuseNonFinite(value: unknown, where: string): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new ContractError(`${where}: expected a finite number; found ${value}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) refuseNonFinite(item, `${where}.${key}`);
  }
}

/**
 * Checks a result against its schema and writes it.
 *
 * @throws UserError when it cannot be written; Error when the result is not a valid one.
 */
export async function writeResult(out: string, result: Result): Promise<string> {
  const { subject, site, method, task, seed } = result;
  const place = { subject: subject.id, site: site.name, method: method.name, task: task.id, seed };
  const file = resultFile(out, place);
  refuseNonFinite(result, `result ${Object.values(place).join(' ')}`);
  await validate('result', result, `result ${Object.values(place).join(' ')}`);
  // The store can give it again: no waiting for the disk.
  await atomicWriteJson(file, result, { durable: false });
  return file;
}

/** Reads and checks one result. @throws UserError when it is not one. */
export async function readResult(file: string): Promise<Result> {
  return validate('result', await readJson(file, 'result'), `result ${file}`);
}

/** The result at a place when it is there, is valid and has this key. */
export async function storedResult(out: string, place: ResultPlace, key: string): Promise<Result | undefined> {
  const file = resultFile(out, place);
  if (!existsSync(file)) return undefined;
  const result = await readResult(file).catch(() => undefined);
  return result?.key === key ? result : undefined;
}

/** Paths of all result files below `<out>/results`, sorted. */
export async function resultFiles(out: string): Promise<string[]> {
  const folder = join(out, 'results');
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /^seed-\d+\.json$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
