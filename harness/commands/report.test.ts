/** @file What `--update-leaderboard` refuses: LEADERBOARD.md must not be made of an incomplete run. */
import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REFERENCE_SUITES } from '../../reports/reference.ts';
import { metric, resultWith } from '../../reports/testing/results.ts';
import { SETTINGS } from '../config/settings.ts';
import { writeResult } from '../results.ts';
import { inFolder, rejection } from '../testing/failing.ts';
import { writeReports } from './report.ts';

const test = suite('report');
const root = new URL('../../', import.meta.url);

test('a run with failed steps does not become the reference; its own reports are written', () =>
  inFolder(async (folder) => {
    const leaderboard = await readFile(new URL('LEADERBOARD.md', root), 'utf8');
    await writeResult(
      folder,
      resultWith('topk', [{ axes: {}, metrics: { auroc: metric(0.9, null, { main: true }) } }]),
    );
    assert.equal(REFERENCE_SUITES, ['real', 'variants']);
    const plan = { suite: { id: 'variants' }, limited: false, failed: 2 };
    const other = { suite: { id: 'default' }, limited: false, failed: 0 };
    assert.match(
      (await rejection(writeReports(folder, { 'update-leaderboard': true }, other))).message,
      /expected a whole run of the suite real or variants/,
    );
    const changes = {
      'random-init': 'all',
      positions: ['first=1'],
      embedder: './mini',
      option: ['topk.k=8'],
      only: ['topk'],
    };
    for (const [name, value] of Object.entries(changes)) {
      const values = { 'update-leaderboard': true, store: 'elsewhere', progress: false, [name]: value };
      const { message } = await rejection(writeReports(folder, values, { ...plan, failed: 0 }));
      assert.match(message, /expected a whole run/, name);
    }
    // What the command line gives where nothing but this flag is said.
    const usual = Object.fromEntries(SETTINGS.map(({ name, default: value }) => [name, value]));
    const { message } = await rejection(writeReports(folder, { ...usual, 'update-leaderboard': true }, plan));
    assert.match(message, /expected a run without failures, found 2 failed steps/);
    assert.match(await readFile(`${folder}/LEADERBOARD.md`, 'utf8'), /^# Leaderboard/);
    assert.is(await readFile(new URL('LEADERBOARD.md', root), 'utf8'), leaderboard);
  }));

test.run();
