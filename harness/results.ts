/** @file Results: one schema-checked JSON file for each (subject, site, method, task, seed), written atomically. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UserError } from './errors.ts';
import { atomicWriteJson } from './io/atomic.ts';
import { sha256Json } from './io/hash.ts';
import { readJson } from './io/json.ts';
import { nonFinite, refuseNonFinite } from './io/non-finite.ts';
import { rowComplaint } from './results/rows.ts';
import type { Result } from './schema/result.generated.ts';
import { validate } from './schema/validate.ts';

export { backendInWords, type Conditions, conditionsOf, inWords } from './results/conditions.ts';
export { withHeld } from './results/held-texts.ts';
export { countedRows, mainMetric } from './results/rows.ts';

/** Version of the result format. 2: with a checksum, and the method's identity, which is in the path too. */
export const RESULT_SCHEMA = 3;

/** What a result's place is made of. */
export interface ResultPlace {
  subject: string;
  site: string;
  method: string;
  /** Hash of the method's id and all its options: under other options it is another method, at another place. */
  identity: string;
  task: string;
  seed: number;
}

/** Digits of an identity in a path: enough to tell the settings of one method apart. */
const PATH_DIGITS = 8;

/** `<out>/results/<subject>/<site>/<method>-<identity>/<task>/seed-<n>.json`. */
export function resultFile(out: string, { subject, site, method, identity, task, seed }: ResultPlace): string {
  return join(out, 'results', subject, site, `${method}-${identity.slice(0, PATH_DIGITS)}`, task, `seed-${seed}.json`);
}

/** The place that a result belongs to by its content. */
const placeIn = ({ subject, site, method, task, seed }: Result): ResultPlace => ({
  subject: subject.id,
  site: site.name,
  method: method.name,
  identity: method.identity,
  task: task.id,
  seed,
});

/** The result with the checksum of all the rest, by which a later edit shows. */
export function sealed({ checksum: _, ...result }: Result): Result {
  return { ...result, checksum: sha256Json(result) };
}

/**
 * Checks a result against its schema and writes it with its checksum.
 *
 * @throws UserError when it cannot be written; Error when the result is not a valid one.
 */
export async function writeResult(out: string, result: Result): Promise<string> {
  const { identity: _, ...place } = placeIn(result);
  const file = resultFile(out, placeIn(result));
  const where = `result ${Object.values(place).join(' ')}`;
  refuseNonFinite(result, where);
  await validate('result', result, where);
  // The store can give it again: no waiting for the disk.
  await atomicWriteJson(file, sealed(result), { durable: false });
  return file;
}

const ANEW = 'Make it anew: saxbench run with the same --out';

/**
 * A result as it was written: of this format, unedited, every number within its range and its interval.
 *
 * @param where Starts the message, e.g. the file.
 * @throws UserError naming the row and metric, or what else is wrong.
 */
export async function checkedResult(value: unknown, where: string): Promise<Result> {
  const { schema } = (typeof value === 'object' && value !== null ? value : {}) as { schema?: unknown };
  if (typeof schema === 'number' && schema !== RESULT_SCHEMA) {
    const age = schema < RESULT_SCHEMA ? 'an older' : 'a newer';
    throw new UserError(
      `${where}: format ${schema}, of ${age} saxbench; expected ${RESULT_SCHEMA}. Make it anew: saxbench run with another --out.`,
    );
  }
  const result = await validate('result', value, where);
  const infinite = nonFinite(result);
  if (infinite !== undefined) throw new UserError(`${where}${infinite}. ${ANEW}.`);
  for (const [i, row] of result.rows.entries()) {
    const complaint = rowComplaint(row, i, result.task.metrics);
    if (complaint !== undefined) throw new UserError(`${where}: ${complaint}. ${ANEW}.`);
  }
  if (result.checksum === undefined) throw new UserError(`${where}: has no checksum. ${ANEW}.`);
  if (sealed(result).checksum !== result.checksum) {
    throw new UserError(`${where}: was edited: its checksum is not that of its content. ${ANEW}.`);
  }
  return result;
}

/** Reads and checks one result. @throws UserError when it is not one. */
export async function readResult(file: string): Promise<Result> {
  return checkedResult(await readJson(file, 'result'), `result ${file}`);
}

/**
 * Reads and checks a result that lies below `<out>/results`.
 *
 * @throws UserError also when it belongs elsewhere: a copy under another name would count twice.
 */
export async function readPlacedResult(out: string, file: string): Promise<Result> {
  const result = await readResult(file);
  const own = resultFile(out, placeIn(result));
  if (relative(own, file) === '') return result;
  throw new UserError(`result ${file}: is a copy: by its content it belongs to ${own}. Remove it.`);
}

/** The result at a place when it is there, is valid, has this key and is not that of a failure: that is tried again. */
export async function storedResult(out: string, place: ResultPlace, key: string): Promise<Result | undefined> {
  const file = resultFile(out, place);
  if (!existsSync(file)) return undefined;
  const result = await readResult(file).catch(() => undefined);
  return result?.key === key && result.failed === undefined ? result : undefined;
}

/** A path to sort by, folder by folder: a folder (`lm`) comes before one whose name goes on (`lm-random`). */
const byFolders = (path: string): string => path.replaceAll(sep, '\0');

/** Paths of all result files below `<out>/results`, sorted. */
export async function resultFiles(out: string): Promise<string[]> {
  const folder = join(out, 'results');
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /^seed-\d+\.json$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => (byFolders(a) < byFolders(b) ? -1 : 1));
}
