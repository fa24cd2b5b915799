/** @file `saxbench report`: renders leaderboard, CSV and HTML from results, offline and as often as one likes. */
import { join, resolve } from 'node:path';
import type { Values } from '../config/read.ts';
import { settingsOf } from '../config/settings.ts';
import { someOf, UserError } from '../errors.ts';
import type { Command } from './command.ts';

/** Settings of a run that leave the suite as it is: any other, and each that is to come, makes another of it. */
const OF_NO_SUITE = [
  ...['backend', 'out', 'store', 'overwrite', 'force', 'dry-run', 'progress', 'json', 'config', 'update-leaderboard'],
  ...['judge-concurrency', 'judge-timeout', 'include-texts', 'allow-upload'],
];

/** Whether a run is of a whole suite, with nothing of it changed. */
const isWhole = (plan: { limited: boolean }, values: Values): boolean =>
  !plan.limited &&
  settingsOf('run')
    .filter(({ name }) => !OF_NO_SUITE.includes(name))
    .every((setting) => values[setting.name] === setting.default);

/**
 * Writes the reports of the results below `out`.
 *
 * @param plan The run that just ended.
 * @returns The files written, and why results were left out.
 * @throws UserError when `--update-leaderboard` is asked for anything but the whole reference suite, or steps failed.
 */
export async function writeReports(
  out: string,
  values: Values,
  plan: { suite: { id: string }; limited: boolean; failed: number },
): Promise<{ files: string[]; refused: string[] }> {
  const { renderReports } = await import('../../reports/index.ts');
  const includeLimited = plan.limited || values['include-limited'] === true;
  const includeTexts = values['include-texts'] === true;
  const { files, refused } = await renderReports(out, out, { includeLimited, includeTexts });
  if (!values['update-leaderboard']) return { files, refused };
  const { REFERENCE_SUITES, updateReference } = await import('../../reports/reference.ts');
  const suite = plan.suite.id;
  if (!(REFERENCE_SUITES.includes(suite) && isWhole(plan, values))) {
    throw new UserError(
      `--update-leaderboard: expected a whole run of the suite ${REFERENCE_SUITES.join(' or ')}, without --limit or filters.`,
    );
  }
  if (plan.failed > 0) {
    throw new UserError(
      `--update-leaderboard: expected a run without failures, found ${plan.failed} failed steps; LEADERBOARD.md is as it was.`,
    );
  }
  return { files: [...files, ...(await updateReference(out, suite))], refused };
}

export const command: Command = {
  name: 'report',
  usage: 'report [dir]',
  summary: 'Render LEADERBOARD.md, CSV and an HTML report from the results of a run',
  positionals: { dir: { description: 'The folder that `run` wrote to', default: 'saxbench-out/default' } },
  examples: [
    ['saxbench report', 'reports of the default suite'],
    ['saxbench report saxbench-out/default-limit-100 --include-limited', 'with results made with --limit'],
    ['saxbench report saxbench-out/default --out site', 'written elsewhere'],
    [
      'saxbench report --format latex --only tasks=reconstruction,steering',
      'tables for a paper (tables.tex), of two tasks',
    ],
    ['saxbench report --check', "that the checkout's LEADERBOARD.md is up to date (for CI)"],
  ],
  async run({ positionals, values, print, say }) {
    if (values['check']) {
      const { checkReference } = await import('../../reports/reference.ts');
      await checkReference();
      print(
        values['json'] ? JSON.stringify({ stale: false }) : 'LEADERBOARD.md is what the reference results render to',
      );
      return 0;
    }
    const dir = resolve(positionals['dir']!);
    const { resultFiles } = await import('../results.ts');
    const found = await resultFiles(dir);
    if (found.length === 0) throw new UserError(`report: expected results below ${join(dir, 'results')}; found none.`);
    const { renderReports } = await import('../../reports/index.ts');
    const out = resolve((values['out'] as string | undefined) ?? dir);
    const also = ((values['also'] as string[] | undefined) ?? []).map((each) => resolve(each));
    const formats = values['format'] as string[] | undefined;
    const {
      files,
      refused,
      results,
      copies,
      otherFigures = [],
    } = await renderReports([dir, ...also], out, {
      includeLimited: values['include-limited'] === true,
      includeTexts: values['include-texts'] === true,
      ...(formats?.length ? { formats: formats.flatMap((each) => each.split(',')) } : {}),
      only: (values['only'] as string[] | undefined) ?? [],
    });
    if (values['json']) print(JSON.stringify({ results, refused, files }, null, 2));
    else for (const file of files) print(`wrote ${file}`);
    if (copies > 0) say(`${copies} results are in several of the folders, and count once`);
    if (otherFigures.length > 0) {
      say(
        `not written by this report, and left where they are: ${otherFigures.length} figures, ${someOf(otherFigures, 5)}`,
      );
    }
    for (const reason of refused) say(`left out: ${reason}`);
    return refused.length > 0 ? 2 : 0;
  },
};
