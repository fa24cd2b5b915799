/** @file Marks stand at the method's name and below every table, in all forms of the report. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { citationOf } from './citation.ts';
import { toCsv, toWideCsv } from './csv.ts';
import { renderHtml } from './html.ts';
import { renderLeaderboard } from './leaderboard.ts';
import { renderJson } from './overview/json.ts';
import { overviewOf } from './overview/overview.ts';
import { placesOf } from './overview/places.ts';
import { summaryTable } from './summary.ts';
import { metric, realResult, resultWith } from './testing/results.ts';

const test = suite('marks in reports');

const jsonOf = (results: Result[]) => {
  const overviews = placesOf([{ tables: buildTables(results) }]).map((place) => overviewOf(place, new Map()));
  return renderJson(overviews, citationOf(results), false);
};

test('a marked method is told in the leaderboard, HTML, console and CSV; others are not', async () => {
  const rows = [{ axes: {}, metrics: { auroc: metric(0.9, [0.8, 1], { main: true }) } }];
  const marks = [{ code: 'l0-off-target', message: 'L0 is 18 on held-out rows.' }];
  const results = [
    resultWith('relu', rows, { marks }),
    resultWith('relu', rows, { seed: 1 }),
    resultWith('topk', rows),
    resultWith('topk', rows, { seed: 1 }),
  ];
  const tables = buildTables(results);
  const line = '⚠ relu (seed 0): L0 is 18 on held-out rows.';
  const leaderboard = await renderLeaderboard([{ tables }], { limited: false, citation: citationOf(results) });
  assert.ok(leaderboard.includes('| ⚠ **relu** |'), leaderboard);
  assert.ok(leaderboard.includes('| **topk** |'));
  assert.ok(leaderboard.includes(`\n\n${line}\n`), leaderboard);
  const html = await renderHtml(tables, results, { limited: false, title: 'x' });
  assert.ok(html.includes('⚠ relu</th>') && html.includes(line) && !html.includes('⚠ topk'));
  const text = summaryTable(results);
  assert.ok(text.includes('⚠ relu ') && text.includes(line) && !text.includes('⚠ topk'));
  const csv = toCsv(results, tables)
    .split('\n')
    .filter((record) => record.includes('l0-off-target'));
  assert.is(csv.length, 1, 'one seed, one metric');
  const columns = toWideCsv(tables).split('\n')[0]!.split(',').indexOf('marks');
  assert.equal(
    toWideCsv(tables)
      .trim()
      .split('\n')
      .map((record) => record.split(',')[columns]),
    ['marks', 'l0-off-target', ''],
  );
  const { places } = JSON.parse(jsonOf(results)) as { places: { rows: { method: string; marks: object[] }[] }[] };
  assert.equal(
    places[0]!.rows.map((row) => [row.method, row.marks]),
    [
      ['relu', [{ task: 'concept-detection', ...marks[0]!, seeds: [0] }]],
      ['topk', []],
    ],
  );
});

test('tables say rows and epochs', async () => {
  const rows = [{ axes: {}, metrics: { auroc: metric(0.9, [0.8, 1], { main: true }) } }];
  const training = { ...realResult('relu', 'concept-detection').training!, tokens: 2500, rows: 100, epochs: 25 };
  const results = [resultWith('topk', rows, { training })];
  const note = '7,709 training rows × 25 epochs and 1,581 test rows';
  const tables = buildTables(results);
  assert.ok((await renderLeaderboard([{ tables }], { limited: false, citation: citationOf(results) })).includes(note));
  assert.ok((await renderHtml(tables, results, { limited: false, title: 'x' })).includes(note));
  const untrained = [resultWith('pca', rows)];
  const options = { limited: false, citation: citationOf(untrained) };
  const told = await renderLeaderboard([{ tables: buildTables(untrained) }], options);
  assert.ok(told.includes('7,709 training rows and 1,581 test rows'));
});

test.run();
