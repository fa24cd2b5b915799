/** @file What a comparison reads: a folder of a run, one result, many in lines, or the baseline of a suite. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../harness/errors.ts';
import { atomicWriteFile } from '../../harness/io/atomic.ts';
import { readJsonl } from '../../harness/io/jsonl.ts';
import { packageRoot } from '../../harness/paths.ts';
import { checkedResult, readResult } from '../../harness/results.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { loadResults } from '../index.ts';
import { keptResult } from '../kept.ts';
import { standsAt } from '../reference-lines.ts';

/** One side of a comparison. */
export interface Side {
  /** As the person named it. */
  name: string;
  results: Result[];
  /** One line for each file that cannot be believed. */
  refused: string[];
}

/** The word for the baseline of the other side's suite. */
export const BASELINE = 'baseline';

/** Results of a file with one a line. @throws UserError naming a line that is no result, or there twice. */
async function resultsInLines(file: string): Promise<Result[]> {
  const results: Result[] = [];
  const lines = new Map<string, number>();
  for await (const value of readJsonl(file)) {
    const line = results.length + 1;
    const result = await checkedResult(value, `${file} result ${line}`);
    const earlier = lines.get(standsAt(result));
    if (earlier !== undefined) throw new UserError(`${file} result ${line}: repeats result ${earlier}; remove one.`);
    lines.set(standsAt(result), line);
    results.push(result);
  }
  if (results.length === 0) throw new UserError(`results: expected some in ${file}; found none.`);
  return results;
}

/**
 * Reads a folder that `run` wrote to, a result's `.json`, or results in the lines of a `.jsonl`.
 *
 * @throws UserError for what is none of these, and where no result can be believed.
 */
export async function loadSide(name: string): Promise<Side> {
  if (!existsSync(name)) {
    throw new UserError(`results: expected a folder of results, a result file or '${BASELINE}'; found no '${name}'.`);
  }
  if (statSync(name).isDirectory()) return { name, ...(await loadResults(name, { includeLimited: true })) };
  if (name.endsWith('.jsonl')) return { name, results: await resultsInLines(name), refused: [] };
  if (name.endsWith('.json')) return { name, results: [await readResult(name)], refused: [] };
  throw new UserError(`results: expected a folder of results, a .json or a .jsonl; found '${name}'.`);
}

/** The suite that results are of. @throws UserError where they are of several. */
export function suiteOf({ name, results }: Side): string {
  const suites = [...new Set(results.map(({ suite }) => suite.id))];
  if (suites.length === 1) return suites[0]!;
  throw new UserError(`compare: expected results of one suite in ${name}; found ${suites.join(', ')}.`);
}

const fileOf = (folder: string, suite: string): string => join(folder, `${suite}.jsonl`);

/** Where the baseline of a suite lies: that of the folder, else the reference results of the package; undefined: none. */
export function baselineFile(folder: string, suite: string): string | undefined {
  const places = [fileOf(folder, suite), fileOf(join(packageRoot, 'reports', 'results'), suite)];
  return places.find((file) => existsSync(file));
}

/** Makes results the baseline of their suite: one file, written whole or not at all. Returns its path. */
export async function writeBaseline(folder: string, side: Side): Promise<string> {
  const file = fileOf(folder, suiteOf(side));
  if (side.refused.length > 0)
    throw new UserError(`compare: no baseline of what cannot be believed: ${side.refused[0]}`);
  const lines = side.results.map((result) => `${JSON.stringify(keptResult(result))}\n`);
  await atomicWriteFile(file, lines.join(''));
  return file;
}
