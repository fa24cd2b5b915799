/** @file Reports of a real small run: all that its tasks, methods and training hand over is shown. */
import { readFileSync, statSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkedResult } from '../harness/results.ts';
import type { ResultTrainingCurve } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { formatInterval, metricTitle } from './format.ts';
import { renderTexts } from './index.ts';
import { tablePlots, trainingPlots } from './plots/index.ts';
import { createPalette } from './plots/theme.ts';
import { realResult, SMALL_RUN, smallRun } from './testing/results.ts';

const test = suite('reports of the small run');

const results = smallRun();
const paletteOf = () => createPalette(results.map(({ method }) => method));

test('the small run is of this format, unedited and small: else `npm run report-fixtures` makes it anew', async () => {
  for (const [i, line] of readFileSync(SMALL_RUN, 'utf8').trim().split('\n').entries()) {
    await checkedResult(JSON.parse(line), `small.jsonl line ${i + 1}: run npm run report-fixtures;`);
  }
  assert.ok(statSync(SMALL_RUN).size < 200_000);
});

test('the small run has every kind of row: marks, null rows, empty cells, two seeds, details', () => {
  const rows = buildTables(results).flatMap((table) => table.rows);
  assert.ok(results.some(({ marks }) => marks?.length));
  assert.ok(rows.some(({ control }) => control === 'method'));
  assert.ok(rows.some(({ detail }) => detail));
  assert.ok(rows.some(({ cells }) => Object.values(cells).some(({ reason }) => reason !== undefined)));
  assert.ok(rows.some(({ cells }) => Object.values(cells).some(({ seeds }) => seeds === 2)));
});

test('every series of training that a report draws is one that the trainer writes', () => {
  const titles = trainingPlots(results, paletteOf()).map(({ title }) => title);
  assert.equal(titles, ['Training: explained variance', 'Training: L0', 'Training: dead latents']);
  const curve = realResult('relu', 'reconstruction').training!.curve;
  const wanted: (keyof ResultTrainingCurve)[] = ['step', 'tokens', 'loss', 'l0', 'explained_variance', 'deadFraction'];
  for (const name of wanted) assert.is(curve[name]?.length, curve.step!.length, String(name));
});

test('each task has the plots that it declares, by the names of its curves and metrics', () => {
  for (const table of buildTables(results)) {
    const own = results.filter(({ task }) => task.id === table.task.id);
    const titles = tablePlots(table, [table], [], own, paletteOf()).map(({ title }) => title);
    const { curves, scatter } = table.task.shows!;
    const declared = [...Object.values(curves!).map(({ title }) => title), ...(scatter ? [scatter.title] : [])];
    assert.equal(
      declared.filter((title) => !titles.includes(title)),
      [],
      table.task.id,
    );
  }
});

test('a curve that no task declares is drawn too, under its own name', () => {
  const given = realResult('relu', 'concept-detection');
  given.curves!['of-its-own'] = given.curves!['roc/auroc']!;
  const [table] = buildTables([given]);
  const plots = tablePlots(table!, [table!], [], [given], paletteOf());
  assert.ok(plots.some(({ title }) => title === 'of its own'));
});

test('the leaderboard has the columns that tasks declare, the bands, the null rows, the marks and the reasons', async () => {
  const { leaderboard } = await renderTexts(results);
  const headers = leaderboard.split('\n').filter((line) => line.startsWith('| rank'));
  const tables = buildTables(results);
  assert.is(headers.length >= tables.length, true);
  for (const { task, main, rows } of tables) {
    const header = headers.find((line) => line.includes(`| ${metricTitle(main!)} `))!;
    const filled = task.shows!.columns!.filter((name) => rows.some(({ cells }) => cells[name]?.value != null));
    for (const name of filled) assert.ok(header.includes(metricTitle(name)), `${task.id} ${name}: ${header}`);
    for (const { cells } of rows) {
      const { value, ci95, ...more } = cells[main!]!;
      assert.ok(leaderboard.includes(formatInterval(value, ci95, more)), `${task.id}: ${value}`);
    }
  }
  assert.match(leaderboard, /^⚠ relu \(seed 0\): L0 is .* above the target of 8\.$/m);
  assert.match(leaderboard, /\*unsteered\* \(control\)/);
  assert.match(leaderboard, /^`?–`? ?bow: .+/m);
});

test('CSV has every number of every row, as it stands in the results', async () => {
  const { csv } = await renderTexts(results);
  const [header, ...lines] = csv.trim().split('\n');
  const metrics = results.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row.metrics)));
  assert.is(lines.length, metrics.length);
  assert.ok(header!.startsWith('suite,subject,modality,site,'));
  for (const { value } of metrics) assert.ok(value === null || csv.includes(`,${value},`), String(value));
});

test.run();
