/** @file Histories: idempotent and whole additions, damaged files, changes of level at the stated rate. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../harness/num/rng.ts';
import { inFolder, rejection } from '../../harness/testing/failing.ts';
import { historyMarkdown, writeHistory } from '../history.ts';
import { scoresOf } from '../scores.ts';
import { smallRun } from '../testing/results.ts';
import { changePoints } from './change-points.ts';
import { appendRun, type HistoryRow, historyRows, readHistory } from './file.ts';
import { seriesOf } from './series.ts';
import { historyView } from './view.ts';

const test = suite('history');

const template = historyRows(smallRun(), new Date(0), 'test').find(({ main, method }) => main && method === 'relu')!;

/** One number over runs. */
const rowsOf = (values: readonly number[], more: Partial<HistoryRow> = {}): HistoryRow[] =>
  values.map((value, i) => ({
    ...template,
    run: `run-${i}`,
    commit: `${i}`.repeat(40),
    value,
    sd: 0.02,
    seeds: 4,
    ...more,
  }));
const changesIn = (rows: readonly HistoryRow[]) => changePoints(seriesOf(rows));

test('scores: one record a ranked row and metric, with all that says what it is', () => {
  const scores = scoresOf(smallRun());
  const places = scores.map(({ subject, site, task, method, axes, metric }) =>
    JSON.stringify([subject, site, task, method, axes, metric]),
  );
  assert.is(new Set(places).size, places.length);
  const relu = scores.find(({ method, metric }) => method === 'relu' && metric === 'auroc')!;
  assert.equal([relu.task, relu.main, relu.seeds, relu.direction], ['concept-detection', true, 2, 'max']);
  assert.ok(scores.some(({ value, reason }) => value === null && reason !== undefined));
  const moved = smallRun().map((result) => ({
    ...result,
    method: { ...result.method, version: result.method.version + 1 },
  }));
  assert.equal(
    scoresOf(moved).map(({ settings }) => settings),
    scores.map(({ settings }) => settings),
    'code is what a series follows',
  );
  const other = smallRun().map((result) => ({
    ...result,
    dataset: { ...result.dataset, fingerprint: 'f'.repeat(64) },
  }));
  assert.ok(scoresOf(other).every(({ settings }, i) => settings !== scores[i]!.settings));
});

test('a run is added once, whole, in whatever order its results are read', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'history.jsonl');
    const rows = historyRows(smallRun(), new Date(0), 'test');
    assert.is((await appendRun(file, rows)).added, true);
    const text = await readFile(file, 'utf8');
    assert.is(text.trim().split('\n').length, rows.length);
    assert.is((await appendRun(file, historyRows(smallRun().reverse(), new Date(5), 'test'))).added, false);
    assert.is(await readFile(file, 'utf8'), text);
    await writeFile(file, text.trimEnd());
    const next = await appendRun(file, rowsOf([0.5]));
    assert.is(next.rows.length, rows.length + 1);
    assert.equal(await readHistory(file), next.rows);
    const [markdown, html] = await writeHistory(next.rows, folder);
    assert.match(await readFile(markdown!, 'utf8'), /^# History of suite small: 2 runs/);
    assert.match(await readFile(html!, 'utf8'), /<svg role="img"/);
  }));

test('what is no history is refused with its line; results of two commits are no run', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'history.jsonl');
    const row = JSON.stringify(rowsOf([0.5])[0]);
    const cases: [string, RegExp][] = [
      [`${row}\n${row.slice(0, 40)}\n`, /line 2/],
      [`${row}\n${row}\n`, /row 2: is there twice/],
      ['[]\n', /row 1: expected an object/],
      [`${row.replace('"value":0.5', '"value":"0.5"')}\n`, /row 1: value: expected a number or null/],
      [`${row.replace('"sd":0.02', '"sd":-1')}\n`, /row 1: sd/],
      ['{"run":"a"}\n', /row 1: recorded: expected a text/],
      [`${row.replace('"limited":false', '"limited":0')}\n`, /row 1: limited: expected true or false/],
      [`${row.replace('"axes":{', '"axes":{"a":{},')}\n`, /row 1: axes: expected texts by name/],
    ];
    for (const [text, expected] of cases) {
      await writeFile(file, text);
      assert.match((await rejection(readHistory(file))).message, expected);
    }
    const mixed = smallRun().map((result, i) => ({
      ...result,
      provenance: { ...result.provenance, git: { commit: String(i % 2).repeat(40), dirty: false } },
    }));
    assert.throws(
      () => historyRows(mixed, new Date(0), 'here'),
      /expected results of one commit in here; found 0{40}, 1{40}/,
    );
  }));

test('a drop of some standard errors is found where it is, equal values count once, another direction is better', () => {
  const level = (value: number, n: number) => Array.from({ length: n }, () => value);
  const [found, ...more] = changesIn(rowsOf([...level(0.9, 5), ...level(0.8, 3)]));
  assert.equal(more, []);
  assert.equal([found!.before.run, found!.after.run, found!.verdict], ['run-4', 'run-5', 'worse']);
  assert.equal(found!.levels, [0.9, 0.8]);
  assert.is(changesIn(rowsOf([0.9, 0.8], { direction: 'min' }))[0]!.verdict, 'better');
  assert.equal(
    changesIn(rowsOf([...level(0.9, 5), ...level(0.89, 50)])),
    [],
    'as often as it is repeated, it is one value',
  );
  assert.is(changesIn(rowsOf([0.9, 0.905, 0.7, 0.702, 0.5, 0.498])).length, 2);
});

test('without a spread over seeds every change is told, untested; rounding is none', () => {
  const found = changesIn(rowsOf([0.9, 0.9, 0.8, 0.8 + 1e-12], { sd: null, seeds: 1 }));
  assert.equal(
    found.map(({ p, levels }) => [p, ...levels]),
    [[null, 0.9, 0.8]],
  );
});

test('other settings begin another series, and it is said; times of another machine too', () => {
  const rows = [
    ...rowsOf([0.9, 0.9]),
    ...rowsOf([0.2, 0.2], { settings: 'other' }).map((row) => ({ ...row, run: `${row.run}b` })),
  ];
  assert.equal(changesIn(rows), []);
  assert.match(historyMarkdown(historyView(rows)), /2 settings, each a series of its own/);
  const timed = [1, 1.1, 0.9, 1, 1.05, 0.95].map((value, i) => ({
    ...rowsOf([value], { measured: true })[0]!,
    run: `t${i}`,
  }));
  const slow = timed.map((row, i) => ({ ...row, run: `s${i}`, value: row.value! * 3 }));
  assert.is(changesIn([...timed, ...slow]).length, 1);
  assert.equal(changesIn([...timed, ...slow.map((row) => ({ ...row, machine: 'another' }))]), []);
});

test('of 200 histories without a change, no more show one than is stated', () => {
  const rng = createRng('history');
  let wrong = 0;
  for (let i = 0; i < 200; i++) {
    // Each run's value and spread come from seeds of its own.
    const rows = ['a', 'b', 'c'].flatMap((method) =>
      Array.from({ length: 8 }, (_, at): HistoryRow => {
        const seeds = Array.from({ length: 4 }, () => 0.8 + 0.02 * rng.normal());
        const value = seeds.reduce((sum, each) => sum + each / 4, 0);
        const sd = Math.sqrt(seeds.reduce((sum, each) => sum + (each - value) ** 2, 0) / 3);
        return { ...template, method, run: `run-${at}`, value, sd, seeds: 4 };
      }),
    );
    if (changesIn(rows).length > 0) wrong++;
  }
  assert.ok(wrong <= 16, `${wrong} of 200`);
});

test.run();
