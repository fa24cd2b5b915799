import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../harness/errors.ts';
import { buildTables } from '../aggregate.ts';
import { linePlot } from '../plots/lines.ts';
import { createPalette } from '../plots/theme.ts';
import { metric, realResult, resultWith } from '../testing/results.ts';
import { requireChromium } from './chromium.ts';
import { figuresOf } from './figures.ts';
import { svgFile } from './svg-file.ts';

const test = suite('reports/figures');

const label = 'topk <&> k=16, with a very long name that no row of a legend has room for, and which goes on and on';
const series = [label, 'b', 'c'].map((name, i) => ({ method: name, label: name, x: [0, 1], y: [i, i + 1] }));
const palette = createPalette(series.map(({ method }) => ({ name: method, kind: 'sae' as const })));
const plot = linePlot(series, palette, { title: 'A & B', caption: 'c <d>', x: 'x', y: 'y' })!;

test('a file has its legend, title and caption within it, and nothing that only browsers know', async () => {
  const { text, width, height } = await svgFile(plot);
  assert.match(text, `viewBox="0 0 ${width} ${height}"`);
  assert.ok(text.includes('<title>A &amp; B</title>') && text.includes('<desc>c &lt;d&gt;</desc>'));
  assert.not.match(text, /system-ui|dominant-baseline|data-m|class=|<style|href|&(?!amp;|lt;|gt;|quot;|#39;)/);
  const lines = [...text.matchAll(/<text x="50"[^>]*>([^<]*)</g)].map(([, line]) => line!);
  // The long name is broken into lines, in whose last row the others have no room.
  assert.ok(lines.length > 2 && lines.slice(0, -1).join(' ').startsWith('topk &lt;&amp;&gt; k=16, with'));
  const heights = [...text.matchAll(/<text [^>]* y="([\d.]+)" dy=/g)].map(([, y]) => Number(y));
  assert.ok(Math.max(...heights) < height, 'the last line is in the picture');
  assert.is((await svgFile(plot)).text, text);
});

test('all plots of the report have names of their own, of words and hyphens', () => {
  const { curves, training } = realResult('relu', 'concept-detection');
  const results = ['a', 'b'].flatMap((name, i) =>
    ['x/$y_{1}', 'X/$y_{1}'].map((site) => {
      const rows = [{ axes: { selection: 'auroc' }, metrics: { auroc: metric(0.9 - i / 10, null, { main: true }) } }];
      const result = resultWith(name, rows, { curves: { 'roc/auroc': curves!['roc/auroc']! }, training });
      return { ...result, site: { ...result.site, name: site } };
    }),
  );
  const names = figuresOf(buildTables(results), results).map(({ name }) => name);
  assert.is(names.length, 2 * (2 + 3));
  assert.is(new Set(names.map((name) => name.toLowerCase())).size, names.length);
  for (const name of names) assert.match(name, /^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/);
});

test('where no browser is, PDF says what it takes', async () => {
  const folder = await mkdtemp(`${tmpdir()}/saxbench-path-`);
  try {
    if (process.platform === 'darwin') return;
    assert.throws(
      () => requireChromium(folder),
      (error: unknown) =>
        error instanceof UserError && /expected chromium.*found none.*--format svg/.test(error.message),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
