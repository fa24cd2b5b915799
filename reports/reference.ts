/** @file The committed reference results, from which the checkout's LEADERBOARD.md is rendered. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../harness/errors.ts';
import { atomicWrite, atomicWriteJson } from '../harness/io/atomic.ts';
import { packageRoot } from '../harness/paths.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { citationOf } from './citation.ts';
import { loadResults } from './index.ts';
import { keptResult } from './kept.ts';
import { renderLeaderboard } from './leaderboard.ts';
import type { ReportPart } from './overview/places.ts';
import { referenceResults } from './reference-lines.ts';
import { OWN_BOARD, PROTOCOL_FILE, protocolOf, readProtocol, requireRun, suiteIdOf } from './submitted/board.ts';
import { listedView } from './submitted/listed.ts';
import { type Listed, submittedTo } from './submitted/merge.ts';

/** The suites whose results are the reference, in the order of the leaderboard, each with what it is above its tables. */
const REFERENCES = [
  { suite: 'real', heading: 'Real models' },
  { suite: 'variants', heading: 'Embedded models' },
] as const;
export const REFERENCE_SUITES: readonly string[] = REFERENCES.map(({ suite }) => suite);
/** One result a line. */
const fileOf = (suite: string): string => join('reports', 'results', `${suite}.jsonl`);
const LEADERBOARD_FILE = join(packageRoot, 'LEADERBOARD.md');
/** Submissions, one file each. */
export const SUBMISSIONS = join(packageRoot, 'reports', 'submissions');
const update = (suite: string): string => `saxbench run ${suite} --update-leaderboard`;

const read = (file: string, suite: string) =>
  readFile(file, 'utf8').catch(() => {
    throw new UserError(`report: ${file} is missing. Make it: ${update(suite)}.`);
  });

/**
 * LEADERBOARD.md of all reference suites that have been run, with what was submitted; `fresh`: the lines of one of them that
 * are about to be written.
 */
async function renderReference(fresh: { suite?: string; lines?: string } = {}): Promise<string> {
  const parts: ReportPart[] = [];
  const protocol = await readProtocol(OWN_BOARD);
  let listed: Listed[] = [];
  const all: Result[] = [];
  for (const { suite, heading } of REFERENCES) {
    const file = join(packageRoot, fileOf(suite));
    // The suite on real models needs data that few have: it need not be there. A file that vanishes makes LEADERBOARD.md stale.
    if (suite === 'real' && suite !== fresh.suite && !existsSync(file)) continue;
    const lines = suite === fresh.suite ? fresh.lines! : await read(file, suite);
    const reference = await referenceResults(suite, lines, fileOf(suite));
    const results = [...reference];
    if (suite === suiteIdOf(protocol)) {
      if (suite !== fresh.suite) requireRun(protocol);
      const board = { protocol: protocolOf(protocol, reference), suite, suiteId: suite, reference };
      const submitted = await submittedTo(board, SUBMISSIONS);
      results.push(...submitted.results);
      listed = submitted.listed;
    }
    parts.push({ heading, tables: buildTables(results) });
    all.push(...results);
  }
  const source = REFERENCE_SUITES.map(fileOf).join(', ');
  return renderLeaderboard(parts, {
    ...{ limited: false, source, citation: citationOf(all, protocol) },
    ...{ protocol: protocol.protocol, submitted: listed.map(listedView) },
  });
}

/**
 * Makes the results of a whole run of a reference suite the reference: writes them and LEADERBOARD.md.
 *
 * @param suite One of {@link REFERENCE_SUITES}.
 * @returns The files written.
 * @throws UserError when the folder also holds results of runs under other options.
 */
export async function updateReference(dir: string, suite: string): Promise<string[]> {
  const { results, refused } = await loadResults(dir);
  const failed = results.find((result) => result.failed !== undefined);
  if (failed) throw new UserError(`report: not for the reference: ${failed.method.name} failed: ${failed.failed}`);
  if (refused.length > 0) throw new UserError(`report: not for the reference: ${refused[0]}`);
  const lines = results.map((result) => `${JSON.stringify(keptResult(result))}\n`).join('');
  const file = join(packageRoot, fileOf(suite));
  const protocol = await readProtocol(OWN_BOARD);
  const reference = await referenceResults(suite, lines, fileOf(suite));
  const current = suite === suiteIdOf(protocol) ? protocolOf(protocol, reference) : protocol;
  const text = await renderReference({ suite, lines });
  await atomicWrite(file, (handle) => handle.writeFile(lines));
  if (current.digest !== protocol.digest) await atomicWriteJson(join(OWN_BOARD, PROTOCOL_FILE), current);
  await atomicWrite(LEADERBOARD_FILE, (handle) => handle.writeFile(text));
  return [file, LEADERBOARD_FILE];
}

/** Renders LEADERBOARD.md anew from the reference results as they are: for a change of the reports alone. */
export async function rerenderReference(): Promise<void> {
  const text = await renderReference();
  await atomicWrite(LEADERBOARD_FILE, (handle) => handle.writeFile(text));
}

/** @throws UserError when LEADERBOARD.md is not what the reference results render to. */
export async function checkReference(): Promise<void> {
  const expected = await renderReference();
  const [suite] = REFERENCE_SUITES.slice(-1) as [string];
  if ((await read(LEADERBOARD_FILE, suite)) === expected) return;
  throw new UserError(
    `report: LEADERBOARD.md is stale: it differs from what ${REFERENCE_SUITES.map(fileOf).join(' and ')} render to. ` +
      `After a change of the reports alone: npm run leaderboard; else make them anew: ${REFERENCE_SUITES.map(update).join('; ')}.`,
  );
}
