/** @file The committed reference results, from which the checkout's LEADERBOARD.md is rendered. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../harness/errors.ts';
import { atomicWrite } from '../harness/io/atomic.ts';
import { packageRoot } from '../harness/paths.ts';
import { checkedResult, sealed } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { definedOtherwise } from './definitions.ts';
import { loadResults } from './index.ts';
import { renderLeaderboard } from './leaderboard.ts';
import { tellApart } from './settings.ts';

/** The suite whose results are the reference. */
export const REFERENCE_SUITE = 'variants';
/** One result a line. */
const REFERENCE_FILE = join('reports', 'results', `${REFERENCE_SUITE}.jsonl`);
const LEADERBOARD_FILE = join(packageRoot, 'LEADERBOARD.md');
const UPDATE = `saxbench run ${REFERENCE_SUITE} --update-leaderboard`;

/** A result as the repository keeps it: without what only plots and inspection need, and without the paths of a machine. */
function kept({ details: _details, curves: _curves, training, provenance, ...given }: Result): Result {
  const { scatter: _scatter, curves: _drawn, ...shows } = given.task.shows ?? {};
  const task = given.task.shows ? { ...given.task, shows } : given.task;
  return sealed({
    ...given,
    task,
    ...(training ? { training: { ...training, curve: {} } } : {}),
    provenance: { ...provenance, arguments: { passed: [], resolved: {} } },
  });
}

async function renderReference(lines: string): Promise<string> {
  const results: Result[] = [];
  for (const [i, line] of lines.trim().split('\n').entries()) {
    results.push(await checkedResult(JSON.parse(line), `${REFERENCE_FILE} line ${i + 1}`));
  }
  const [otherwise] = definedOtherwise(results).values();
  if (otherwise !== undefined) throw new UserError(`${REFERENCE_FILE}: ${otherwise}`);
  const places = results.map(({ subject, site, method, task, seed }) =>
    [subject.id, site.name, method.name, method.identity, task.id, seed].join(' '),
  );
  const copy = places.findIndex((place, i) => places.indexOf(place) < i);
  if (copy >= 0) throw new UserError(`${REFERENCE_FILE} line ${copy + 1}: repeats ${places[copy]}; remove it.`);
  return renderLeaderboard(buildTables(results), { limited: false, source: REFERENCE_FILE });
}

/**
 * Makes the results of a whole run of the reference suite the reference: writes them and LEADERBOARD.md.
 *
 * @returns The files written.
 * @throws UserError when the folder also holds results of runs under other options.
 */
export async function updateReference(dir: string): Promise<string[]> {
  const { results, refused } = await loadResults(dir);
  const failed = results.find((result) => result.failed !== undefined);
  if (failed) throw new UserError(`report: not for the reference: ${failed.method.name} failed: ${failed.failed}`);
  if (refused.length > 0) throw new UserError(`report: not for the reference: ${refused[0]}`);
  const mixed = tellApart(results).find(({ method }, i) => method.name !== results[i]!.method.name);
  if (mixed) {
    throw new UserError(
      `report: ${dir} holds results under different options, ${mixed.method.name} among them; run into an empty --out.`,
    );
  }
  const lines = results.map((result) => `${JSON.stringify(kept(result))}\n`).join('');
  const file = join(packageRoot, REFERENCE_FILE);
  await atomicWrite(file, (handle) => handle.writeFile(lines));
  const text = await renderReference(lines);
  await atomicWrite(LEADERBOARD_FILE, (handle) => handle.writeFile(text));
  return [file, LEADERBOARD_FILE];
}

/** @throws UserError when LEADERBOARD.md is not what the reference results render to. */
export async function checkReference(): Promise<void> {
  const read = (file: string) =>
    readFile(file, 'utf8').catch(() => {
      throw new UserError(`report: ${file} is missing. Make it: ${UPDATE}.`);
    });
  const expected = await renderReference(await read(join(packageRoot, REFERENCE_FILE)));
  if ((await read(LEADERBOARD_FILE)) === expected) return;
  throw new UserError(
    `report: LEADERBOARD.md is stale: it differs from what ${REFERENCE_FILE} renders to. Make both anew: ${UPDATE}.`,
  );
}
