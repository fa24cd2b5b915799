/** @file Names from others in Markdown, CSV and HTML: no tag, no table border, no formula. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { csvText, latexText, markdownCode, markdownText, scriptJson } from './escape.ts';
import { renderTexts } from './index.ts';
import { metric, realResult, resultWith } from './testing/results.ts';

const test = suite('reports/escape');

test('Markdown shows a text as it is', () => {
  assert.is(markdownText('<script>alert(1)</script>'), '&lt;script&gt;alert(1)&lt;/script&gt;');
  assert.is(markdownText('a|b\n# c'), 'a\\|b # c');
  assert.is(markdownText('[x](javascript:1) `c` _e_ **f**'), '\\[x\\](javascript:1) \\`c\\` \\_e\\_ \\*\\*f\\*\\*');
  assert.is(markdownText('blocks.3.hook_resid_post & more'), 'blocks.3.hook_resid_post & more');
  assert.is(markdownCode('a`b|c\nd'), "`a'b\\|c d`");
});

test('CSV cells are no formulas; numbers stay numbers', async () => {
  for (const start of ['=', '+', '-', '@', '\t', '\r']) assert.is(csvText(`${start}1+1`), `'${start}1+1`);
  assert.is(csvText('a=b'), 'a=b');
  const rows = [{ axes: {}, metrics: { auroc: metric(-0.5, [-1, 0.5], { main: true }) } }];
  const name = '=cmd()|<script>x</script>';
  const { csv, leaderboard } = await renderTexts([resultWith(name, rows)]);
  assert.match(csv, /,'=cmd\(\)/);
  assert.match(csv, /,-0\.5,-1,0\.5,/);
  assert.not.match(leaderboard, /<script>/);
});

test('names of metrics, variants and options are text where values at equal sizes are compared', async () => {
  const evil = 'a|b<img src=x>`c`';
  const display = { x: { metric: 'l0' }, y: evil, title: evil, caption: evil, logX: true, matched: true };
  const results = ['m', evil].flatMap((id) =>
    [8, 16].map((k) => {
      const metrics = { [evil]: metric(0.5, null, { main: true }), l0: metric(k, null, { direction: 'none' }) };
      const task = { ...realResult('relu', 'concept-detection').task, shows: { fronts: [display] } };
      const result = resultWith(`${id} ${k}`, [{ axes: {}, metrics }], { task });
      return { ...result, method: { ...result.method, id, sparsity: 'k', options: { k, mode: evil } } };
    }),
  );
  const { leaderboard, html } = await renderTexts(results);
  assert.match(leaderboard, /at equal L0/);
  assert.not.match(leaderboard, /<img|[^\\\n ]\|b/);
  assert.not.match(html, /<img/);
});

test('JSON within a script neither ends it nor begins a comment, and is the same JSON', () => {
  const value = { name: '</script><!-- \u2028', tex: '\\input{x}' };
  const text = scriptJson(value);
  assert.not.match(text, /[<\u2028]/);
  assert.equal(JSON.parse(text), value);
});

test('LaTeX shows names as they are: no command, no comment, no end of a cell or of the table', () => {
  assert.is(
    latexText('\\input{x} 5 % & $a_b$ #~^\n'),
    '\\textbackslash{}input\\{x\\} 5 \\% \\& \\$a\\_b\\$ \\#\\textasciitilde{}\\textasciicircum{} ',
  );
  // `\\[x]` and `\\*` are commands of a row's end; Greek and signs are those of mathematics.
  assert.is(latexText('[b] * < é β ≈ ω 漢'), '{[}b] {*} \\textless{} é $\\beta$ $\\approx$ ω 漢');
});

test.run();
