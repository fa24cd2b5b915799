/** @file What a task from outside returns: prepared work, rows, why it cannot run. Numbers are checked with the rows. */
import type { PrepareContext, Prepared, TaskContext, TaskDefinition, TaskOutcome } from '../contract/task.ts';
import { type Author, checkedAsync, checkedReason, demand, functionsOf, isRecord } from './expect.ts';
import { requireArrays } from './method.ts';

type Options = Record<string, unknown>;

const isNumber = (value: unknown) => typeof value === 'number';
const areNumbers = (value: unknown) => Array.isArray(value) && value.every(isNumber);

function requireRows(author: Author, outcome: TaskOutcome): void {
  demand(author, 'run', isRecord(outcome), '{ rows }', outcome);
  const { rows, details = {}, curves = {}, marks = [] } = outcome;
  demand(author, 'run: rows', Array.isArray(rows) && rows.length > 0, 'one row or more', rows);
  for (const [i, row] of rows.entries()) {
    const at = `run: rows[${i}]`;
    demand(author, at, isRecord(row), '{ axes, metrics }', row);
    const { axes, metrics, samples, unavailable = {} } = row;
    const named = isRecord(axes) && Object.values(axes).every((value) => typeof value === 'string');
    demand(author, `${at}.axes`, named, 'texts by name', axes);
    demand(author, `${at}.metrics`, isRecord(metrics), 'measurements by name', metrics);
    for (const [name, metric] of Object.entries(metrics)) {
      demand(author, `${at}.metrics.${name}`, isRecord(metric), '{ value, ci95, n }', metric);
      const { value, ci95, n } = metric;
      demand(author, `${at}.metrics.${name}.value`, value === null || isNumber(value), 'a number or null', value);
      const pair = ci95 === null || (areNumbers(ci95) && ci95.length === 2);
      demand(author, `${at}.metrics.${name}.ci95`, pair, '[low, high] or null', ci95);
      demand(author, `${at}.metrics.${name}.n`, isNumber(n), 'a count', n);
    }
    const reasons = isRecord(unavailable) && Object.values(unavailable).every((reason) => typeof reason === 'string');
    demand(author, `${at}.unavailable`, reasons, 'reasons by metric', unavailable);
    if (samples === undefined) continue;
    const whole = isRecord(samples) && typeof samples.unit === 'string' && areNumbers(samples.values);
    demand(author, `${at}.samples`, whole, '{ unit, values }', samples);
  }
  demand(author, 'run: details', isRecord(details), 'an object', details);
  demand(author, 'run: curves', isRecord(curves), '{ x, y } by name', curves);
  for (const [name, curve] of Object.entries(curves)) {
    const { x, y, lo = y, hi = y } = (isRecord(curve) ? curve : {}) as Partial<typeof curve>;
    const lists = [x, y, lo, hi].every((list) => areNumbers(list) && list!.length === x!.length);
    demand(author, `run: curves.${name}`, lists, 'lists x and y of one length', curve);
  }
  const isMark = (mark: unknown) =>
    isRecord(mark) &&
    Object.keys(mark).sort().join() === 'code,message' &&
    typeof mark['message'] === 'string' &&
    /^[a-z0-9-]+$/.test(String(mark['code']));
  demand(author, 'run: marks', Array.isArray(marks) && marks.every(isMark), 'a list of { code, message }', marks);
}

function requirePrepared(author: Author, prepared: Prepared): void {
  demand(author, 'prepare', isRecord(prepared), '{ json, arrays }', prepared);
  demand(author, 'prepare: json', isRecord(prepared.json), 'an object', prepared.json);
  requireArrays(author, 'prepare: arrays', prepared.arrays, [Float32Array, Int32Array, Uint8Array]);
}

/** A task from outside with what it returns checked. */
export function checkedTask(definition: TaskDefinition, file: string): TaskDefinition {
  const author: Author = { file };
  const there = functionsOf(author, definition, ['unavailable', 'prepare']);
  const { run, prepare, unavailable } = definition;
  return {
    ...definition,
    run: checkedAsync(author, 'run', definition, run, (outcome: TaskOutcome, _context: TaskContext<Options>) =>
      requireRows(author, outcome),
    ),
    ...(there.includes('prepare') && {
      prepare: checkedAsync(
        author,
        'prepare',
        definition,
        prepare!,
        (made: Prepared, _context: PrepareContext<Options>) => requirePrepared(author, made),
      ),
    }),
    ...(there.includes('unavailable') && { unavailable: checkedReason(author, definition, unavailable!) }),
  };
}
