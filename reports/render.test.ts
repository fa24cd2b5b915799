import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../harness/errors.ts';
import { writeResult } from '../harness/results.ts';
import { buildTables } from './aggregate.ts';
import { toWideCsv } from './csv.ts';
import { renderReports, renderTexts, summaryTable } from './index.ts';
import { metric, rankedLines, realResult, resultWith } from './testing/results.ts';

const test = suite('reports/render');

const { curves, training } = realResult('relu', 'concept-detection');
const results = [
  resultWith(
    'topk',
    [{ axes: { selection: 'auroc' }, metrics: { auroc: metric(0.91, [0.88, 0.94], { main: true }) } }],
    { curves: { 'roc/auroc': curves!['roc/auroc']! }, training },
  ),
  resultWith('pca | <b>', [{ axes: {}, metrics: { auroc: metric(0.8, [0.75, 0.85], { main: true }) } }], {
    kind: 'baseline',
  }),
  resultWith('bow', [{ axes: {}, metrics: { auroc: metric(null, null, { main: true }) } }], { kind: 'baseline' }),
];

test('the leaderboard has a row a method, best first, with intervals, escaped bars and the reasons of empty cells', async () => {
  const { leaderboard } = await renderTexts(results);
  const rows = rankedLines(leaderboard);
  assert.match(rows[0]!, /\| rank \| method \| AUROC ↑ \|/);
  assert.match(rows[2]!, /\| 1 \| \*\*topk\*\* · selection: auroc \| 0\.910 \[0\.880, 0\.940\] \|/);
  assert.match(rows[3]!, /\| \? 2 \| \*pca \\\| &lt;b&gt;\* \| 0\.800/);
  assert.match(rows[4]!, /\| – \| \*bow\* \| – \|/);
  assert.match(leaderboard, /bow: has no decoder/);
  assert.not.match(leaderboard, /Limited run/);
});

test('CSV has one line a number and quotes what needs it', async () => {
  const lines = (await renderTexts(results)).csv.trim().split('\n');
  assert.is(lines.length, 4);
  assert.match(
    lines[1]!,
    /small,tiny-lm-planted,text,.*,topk,sae,false,192,selection=auroc,,1,first,,0,false,auroc,0\.91,0\.88,0\.94,10/,
  );
  assert.match(lines[3]!, /has no decoder/);
});

test('leaderboard, HTML, CSV and the table on the console agree on ranks; few units are marked', async () => {
  const values = [0.9, 0.7, 0.8, 0.95, 0.85];
  const scored = (name: string, shift: number, control = false) => {
    const own = values.map((value, i) => value - shift + (i % 2 === 0 ? 0.001 : 0));
    const auroc = metric(own.reduce((a, b) => a + b) / own.length, [0.5, 1], { main: true, n: own.length });
    const row = { axes: {}, metrics: { auroc }, samples: { unit: 'concept', values: own } };
    const result = resultWith(name, [row]);
    return { ...result, method: { ...result.method, control } };
  };
  const noisy = scored('noisy', 0.02);
  noisy.rows[0]!.samples!.values = [0.6, 0.99, 0.95, 0.7, 0.86];
  const all = [scored('null', -0.02, true), scored('best', 0), noisy, scored('worse', 0.2)];
  const { leaderboard, html, csv } = await renderTexts(all);
  const expected = { null: '–', best: '1', noisy: '≈ 2', worse: '3' };
  const ranks = (text: string, line: RegExp) =>
    Object.fromEntries([...text.matchAll(line)].map((match) => [match.groups!['name']!, match.groups!['rank']!]));
  assert.equal(ranks(leaderboard, /^\| (?<rank>[^|]+) \| \*\*(?<name>\w+)\*\*/gm), expected);
  assert.equal(ranks(html, /<tr class="sae" [^>]*><td [^>]*>(?<rank>[^<]+)<\/td><th [^>]*>(?<name>\w+)/g), expected);
  const inCsv = csv
    .split('\n')
    .filter((line) => /,auroc,/.test(line))
    .map((line) => line.split(','));
  const columns = csv.split('\n')[0]!.split(',');
  const cell = (line: string[], name: string) => line[columns.indexOf(name)]!;
  assert.equal(
    inCsv.map((line) => [cell(line, 'method'), cell(line, 'rank'), cell(line, 'standing')]),
    [
      ['null', '', ''],
      ['best', '1', 'first'],
      ['noisy', '2', 'tied'],
      ['worse', '3', 'apart'],
    ],
  );
  assert.equal(ranks(summaryTable(all), /^(?<name>\w+) +[\d.]+ +\((?<rank>.+)\)$/gm), {
    best: '1',
    noisy: '≈ 2',
    worse: '3',
  });
  assert.match(leaderboard, /\| 0\.841 \[0\.500, 1\]† \|/);
  assert.match(html, /corrected p &#x3D; /);
});

test('the wide CSV has a line a method and setting, with columns of its own for each metric', () => {
  const two = [0, 1].map((seed) =>
    resultWith(
      'topk',
      [
        {
          axes: { selection: 'auroc' },
          metrics: { auroc: metric(0.9 + seed / 50, [0.8, 1], { main: true }), rank: metric(4, null) },
        },
      ],
      { seed },
    ),
  );
  const empty = resultWith('=bow', [{ axes: {}, metrics: { auroc: metric(null, null, { main: true }) } }]);
  const [head, ...lines] = toWideCsv(buildTables([...two, empty]))
    .trim()
    .split('\n');
  const columns = head!.split(',');
  assert.is(new Set(columns).size, columns.length);
  const shown = ['method', 'axes', 'rank', 'seeds', 'auroc', 'auroc.n', 'metric.rank', 'metric.rank.low'];
  assert.equal(
    lines.map((line) => shown.map((name) => line.split(',')[columns.indexOf(name)])),
    [
      ['topk', 'selection=auroc', '', '2', '0.91', '10', '4', ''],
      ["'=bow", '', '', '0', '', '0', '', ''],
    ],
  );
});

test('CSV carries all options: of the method, its training, the task and the data', async () => {
  const [given] = results;
  const method = { ...given!.method, options: { k: 8, d_sae: 64 } };
  const { csv } = await renderTexts([{ ...given!, method }]);
  const [columns, line] = csv.trim().split('\n');
  assert.match(columns!, /,method_identity,method_options,training_options,task_options,dataset_options$/);
  assert.ok(line!.includes(`,${method.identity},"{""d_sae"":64,""k"":8}",`), line);
});

test('HTML is self-contained, escaped, and draws bars, ROC and training curves', async () => {
  const { html } = await renderTexts(results);
  assert.is((html.match(/<svg role/g) ?? []).length, 5);
  assert.not.match(html, /<link|<img|<iframe|https?:\/\/(?!www\.w3\.org)/);
  assert.not.match(html, /pca \| <b>/);
  assert.match(html, /ROC, averaged over concepts/);
});

test('the one script of the HTML report is the one that its policy allows', async () => {
  const { html } = await renderTexts(results);
  const scripts = [...html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)];
  assert.equal(
    scripts.map(([, attributes]) => attributes),
    [''],
  );
  const hash = createHash('sha256').update(scripts[0]![2]!).digest('base64');
  assert.ok(html.includes(`default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`));
});

test('tables say what they are and what heads what; strokes and points say whose they are', async () => {
  const { html } = await renderTexts(results);
  assert.is(html.split('<table>').length, html.split('<caption>').length);
  assert.not.match(html, /<th(?![^>]*scope=)[\s>]/);
  assert.match(html, /<path data-m="topk" [^>]*><title>topk · auroc: AUROC 0\.910 \[0\.880, 0\.940\]<\/title>/);
  assert.match(html, /<path data-m="topk" [^>]*><title>topk \(seed 0\)<\/title>/);
  assert.match(html, /<li data-m="topk">/);
  assert.not.match(html, /#fd[0-9a-f]{4}|ecmeta/);
});

test('a metric says at its column what it is', async () => {
  const [given] = results;
  const auroc = { ...given!.task.metrics['auroc']!, description: 'Area <under> the "curve".', unit: 'share' };
  const { html } = await renderTexts([{ ...given!, task: { ...given!.task, metrics: { auroc } } }]);
  const definition = 'title="Area &lt;under&gt; the &quot;curve&quot;. In share. More is better."';
  assert.is(html.split(definition).length, 3, 'in the overview and in the table');
});

test('no name and no text ends the script, opens a tag or leaves its attribute', async () => {
  const name = `</script><script>alert(1)</script>"' onclick=x \\input{x}`;
  const [given] = results;
  const hostile = {
    ...given!,
    method: { ...given!.method, name, title: name },
    subject: { ...given!.subject, id: name, remarks: [name] },
    dataset: { ...given!.dataset, notes: [name] },
    site: { ...given!.site, name },
    task: { ...given!.task, title: name },
    marks: [{ code: name, message: name }],
    suite: { ...given!.suite, title: name },
  };
  const { html } = await renderTexts([hostile, ...results]);
  assert.not.match(html, /alert\(1\)<\/script>/);
  assert.is(html.split('<script').length, 2);
  assert.not.match(html, /<[^>]*" onclick=x/);
  // Ids are made of names.
  assert.not.match(html, / id="[^"]*[^\w"-]/);
});

test("a model's remarks stand at each of its tables, escaped", async () => {
  const [given] = results;
  const { leaderboard, html } = await renderTexts([
    { ...given!, subject: { ...given!.subject, remarks: ['trained <b> on | labels'] } },
  ]);
  assert.match(leaderboard, /^Model: trained &lt;b&gt; on \\\| labels\.$/m);
  assert.match(html, /trained &lt;b&gt; on \| labels/);
  const { remarks: _, ...plain } = given!.subject;
  assert.not.match((await renderTexts([{ ...given!, subject: plain }])).leaderboard, /^Model:/m);
});

test('an embedder of its own is named where its numbers stand, escaped', async () => {
  const embedder = { id: 'mini<lm>', fingerprint: '0'.repeat(64), family: 'bert@1' };
  const own = results.map((result) => ({ ...result, task: { ...result.task, embedder } }));
  const { leaderboard, html } = await renderTexts(own);
  assert.match(leaderboard, /; items compared by mini&lt;lm&gt; \(bert\);/);
  assert.ok(html.includes('items compared by mini&lt;lm&gt; (bert).'));
  assert.not.match((await renderTexts(results)).leaderboard, /compared by mini/);
});

test('rendering is a pure function: the same results give the same bytes', async () => {
  const [first, second] = [await renderTexts(results), await renderTexts(results)];
  assert.is(first.leaderboard, second.leaderboard);
  assert.is(first.csv, second.csv);
  assert.is(first.html, second.html);
});

test('the table on the console says of a limited run that it compares nothing', () => {
  const limited = results.map((result) => ({ ...result, limited: true }));
  assert.match(summaryTable(limited), /^Limited run \(--limit\)[^\n]*compare nothing[^\n]*\n\n/);
  assert.not.match(summaryTable(results), /Limited/);
});

test('limited results are left out unless asked for, and then marked; no results is a UserError', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-reports-'));
  try {
    await renderReports(folder, folder).then(
      () => assert.unreachable(),
      (error) => {
        assert.instance(error, UserError);
        assert.match(error.message, /no results below/);
      },
    );
    await writeResult(folder, { ...results[0]!, limited: true });
    await renderReports(folder, folder).then(
      () => assert.unreachable(),
      (error) => assert.match(error.message, /--include-limited/),
    );
    const { files } = await renderReports(folder, folder, { includeLimited: true });
    assert.is(files.length, 3);
    assert.match(await readFile(files[0]!, 'utf8'), /\*\*Limited run\*\*/);
    await writeResult(folder, { ...results[0]!, seed: 7 });
    const { refused } = await renderReports(folder, folder);
    assert.is(refused.length, 1, 'beside others, the limited one is named');
    assert.match(refused[0]!, /made with --limit, unlike others/);
    assert.equal((await renderReports(folder, folder, { includeLimited: true })).refused, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a method that failed stays in the tables with its reason, also where only one of its seeds did', async () => {
  const failed = (name: string, seed: number, reason: string) => resultWith(name, [], { seed, failed: reason });
  const all = [
    ...results,
    failed('broken', 0, 'expected finite weights'),
    failed('broken', 1, 'expected finite weights'),
    failed('topk', 1, 'out of memory'),
  ];
  const { leaderboard, html } = await renderTexts(all);
  assert.match(leaderboard, /^\| – \| \*\*broken\*\* \| – \|$/m);
  assert.match(leaderboard, /^`–` broken failed: seed 0, 1: expected finite weights$/m);
  assert.match(leaderboard, /^`–` topk failed: seed 1: out of memory$/m);
  assert.match(leaderboard, /\*\*topk\*\* · selection: auroc \| 0\.910/);
  assert.match(html, /<span class="failed">failed: seed 0, 1: expected finite weights<\/span>/);
  assert.match(summaryTable(all), /^broken +failed$/m);
  const alone = await renderTexts([failed('broken', 0, 'expected finite weights')]);
  assert.match(alone.leaderboard, /broken failed: seed 0: expected finite weights/);
});

test('an edited result is named and left out, the others are reported', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-reports-'));
  try {
    const file = await writeResult(folder, results[0]!);
    const other = await writeResult(folder, results[2]!);
    await writeFile(file, (await readFile(file, 'utf8')).replace('0.91', '0.93'));
    const { files, refused } = await renderReports(folder, folder);
    assert.is(refused.length, 1);
    assert.match(refused[0]!, /topk-[0-9a-f]{8}\/concept-detection\/seed-0\.json: was edited/);
    const leaderboard = await readFile(files[0]!, 'utf8');
    assert.not.match(leaderboard, /topk/);
    assert.match(leaderboard, /\*\*bow\*\*|\*bow\*/);
    await rm(other);
    await renderReports(folder, folder).then(
      () => assert.unreachable(),
      (error) => assert.match(error.message, /none of 1 results .* was edited/),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the leaderboard shows all columns that a task declares, however many', async () => {
  const names = ['auroc', ...Array.from({ length: 9 }, (_, i) => `declared_${i}`), 'other'];
  const metrics = Object.fromEntries(
    names.map((name) => [name, metric(0.5, [0.4, 0.6], name === 'auroc' ? { main: true } : {})]),
  );
  const task = { ...resultWith('a', []).task, shows: { columns: names.slice(1, 10) } };
  const { leaderboard } = await renderTexts([resultWith('a', [{ axes: {}, metrics }], { task })]);
  const header = leaderboard.split('\n').find((line) => line.startsWith('| rank'))!;
  assert.is(header.match(/declared.\d/g)!.length, 9);
  assert.not.match(header, /other/);
});

test.run();
