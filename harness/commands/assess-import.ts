/** @file `saxbench assess import`: what raters answered, as results beside those of the run, and its reports anew. */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import type { ResultMetric } from '../schema/result.generated.ts';
import type { CommandContext } from './command.ts';

/** The files that are named, and those of the folders that are. */
async function filesOf(named: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of named) {
    const found = await stat(path).catch(() => undefined);
    if (!found)
      throw new UserError(`--ratings ${path}: expected a ratings.csv or a folder of them; found nothing there.`);
    if (!found.isDirectory()) {
      files.push(resolve(path));
      continue;
    }
    const own = (await readdir(path)).filter((name) => name.endsWith('.csv')).sort();
    if (own.length === 0) throw new UserError(`--ratings ${path}: expected .csv files in the folder; found none.`);
    files.push(...own.map((name) => resolve(path, name)));
  }
  return [...new Set(files)];
}

const text = ({ value, ci95 }: ResultMetric): string => {
  if (value === null) return '–';
  const short = (number: number) => number.toFixed(2);
  return ci95 ? `${short(value)} [${short(ci95[0])}, ${short(ci95[1])}]` : short(value);
};

export async function importAssessment({ values, positionals, print, say }: CommandContext): Promise<number> {
  const folder = resolve(positionals['folder']!);
  const named = values['ratings'] as string[] | undefined;
  if (!named)
    throw new UserError('assess import: expected --ratings FILE, a ratings.csv or a folder of them; found none.');
  const { openSet } = await import('../assess/open-set.ts');
  const { readRatings } = await import('../assess/ratings.ts');
  const { assessmentResults } = await import('../assess/results.ts');
  const { key, items } = await openSet(folder);
  const files = await filesOf(named);
  const ratings = await readRatings(files, { set: key.set, protocol: key.protocol, items });
  const { results, raters, excluded } = assessmentResults(key, ratings);
  const out = resolve((values['out'] as string | undefined) ?? join(folder, key.run));
  const { resultFiles, writeResult } = await import('../results.ts');
  const { loadResults, renderReports } = await import('../../reports/index.ts');
  const there = (await resultFiles(out)).length > 0;
  if (!there && values['out'] === undefined) {
    throw new UserError(
      `assess import: expected the run that the set is of in ${out}; found no results there: name a folder with --out.`,
    );
  }
  const { besideRun } = await import('../assess/beside-run.ts');
  const found = there ? (await loadResults(out, { includeLimited: true })).results : [];
  const { refitted, sets } = besideRun(key, found);
  if (refitted.length > 0) {
    throw new UserError(
      `assess import: expected the run that the set was drawn from; in ${out} the results of ${refitted.join(', ')} are of other fits, whose latents nobody rated (was it run again?): write to a folder of its own with --out.`,
    );
  }
  for (const { set, replaced, left } of sets) {
    if (replaced.length > 0)
      say(
        `replaced: the results of the set ${set} on ${replaced.join(', ')}: import it with another --out to have both.`,
      );
    if (left.length > 0)
      say(`beside: the results of the set ${set} on ${left.join(', ')}, of other questions and raters.`);
  }
  const written: string[] = [];
  for (const result of results) written.push(await writeResult(out, result));
  const reports = await renderReports(out, out, { includeLimited: results.some(({ limited }) => limited) });
  for (const { rater, reason } of excluded) say(`left out: rater '${rater}': ${reason}.`);
  for (const reason of reports.refused) say(`left out of the reports: ${reason}`);
  if (values['json']) {
    const rows = results.map(({ method, rows: [row] }) => ({ method: method.name, metrics: row!.metrics }));
    print(
      JSON.stringify(
        {
          set: key.set,
          protocol: key.protocol,
          raters: raters.length,
          excluded: excluded.length,
          answers: ratings.length,
          rows,
          files: [...written, ...reports.files],
        },
        null,
        2,
      ),
    );
    return 0;
  }
  print(
    `${key.protocol}: ${ratings.length} answers of ${raters.length} raters (${excluded.length} left out) to ${items.length} questions`,
  );
  const columns = ['accuracy', 'above_chance', 'alpha', 'retest'] as const;
  const width = Math.max(6, ...results.map(({ method }) => method.name.length));
  print(['method'.padEnd(width), ...columns.map((name) => name.padEnd(20))].join('  '));
  for (const {
    method,
    rows: [row],
  } of results) {
    print([method.name.padEnd(width), ...columns.map((name) => text(row!.metrics[name]!).padEnd(20))].join('  '));
  }
  const { metrics } = results[0]!.rows[0]!;
  print(`Spearman with MS ${text(metrics['spearman_ms']!)}, with detection ${text(metrics['spearman_detection']!)}`);
  for (const file of [...written, ...reports.files]) print(`wrote ${file}`);
  return 0;
}
