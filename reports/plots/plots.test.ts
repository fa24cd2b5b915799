/** @file Plots of many methods with long names: nothing is cut off, nothing overlaps, nothing is left out in silence. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../../harness/schema/result.generated.ts';
import { buildTables } from '../aggregate.ts';
import { frontsOf } from '../fronts.ts';
import { renderTexts } from '../index.ts';
import { metric, resultWith } from '../testing/results.ts';
import { meanCurves } from './curves.ts';
import { tablePlots } from './index.ts';
import { rowLabels, wrapped } from './labels.ts';
import { renderSvg } from './svg.ts';
import { createPalette } from './theme.ts';

const test = suite('reports/plots');

const shows = {
  scatter: { x: 'l0', y: 'ms', title: 'MS against L0', caption: '', logX: true },
  curves: { roc: { title: 'ROC', caption: 'Caption.', x: 'FPR', y: 'TPR' } },
  ranked: { selection: ['detector', 'auroc'] },
};
const nameOf = (i: number) => `my-team/topk-with-a-rather-long-name d_sae=16384, k=${i}`;

/** Methods whose points lie in one place, each with two curves. */
function crowd(count: number): Result[] {
  return Array.from({ length: count }, (_, i) => {
    const metrics = {
      auroc: metric(0.9 - i / 1000, [0.8, 0.95], { main: true }),
      l0: metric(16, null),
      ms: metric(0.5, [0.4, 0.6]),
    };
    const curves = { 'roc/probe-k1': { x: [0, 1], y: [0, 1] }, 'roc/auroc': { x: [0, 1], y: [0, 1] } };
    const task = { ...resultWith('', []).task, shows };
    return resultWith(nameOf(i), [{ axes: { selection: 'auroc' }, metrics }], { curves, task });
  });
}

const plotsOf = (results: Result[]) => {
  const tables = buildTables(results);
  const [table] = tables;
  return tablePlots(
    table!,
    tables,
    frontsOf(table!, tables),
    results,
    createPalette(results.map(({ method }) => method)),
  );
};

/** The texts of a drawing with their places. */
function textsOf(svg: string): { text: string; x: number; y: number }[] {
  return [...svg.matchAll(/<text ([^>]*)>([^<]*)</g)].map(([, attributes, text]) => {
    const [, x, y] = attributes!.match(/ transform="translate\(([\d.-]+) ([\d.-]+)\)"/) ?? [];
    return { x: Number(x), y: Number(y) + Number(attributes!.match(/ y="([\d.-]+)"/)?.[1] ?? 0), text: text! };
  });
}

test('legends are text of the page, with every name whole', async () => {
  const { html } = await renderTexts(crowd(20));
  const legend = [
    ...html.matchAll(
      /<li data-m="[^"]*"><svg [^>]*><path d="[^"]*" stroke="(#\w+)" stroke-width="2" stroke-dasharray="([\d,]*)"\/><\/svg>([^<]*)<\/li>/g,
    ),
  ];
  assert.equal(
    legend.map((match) => match[3]),
    Array.from({ length: 20 }, (_, i) => `${nameOf(i)} · auroc`.replaceAll('=', '&#x3D;')),
  );
  assert.is(new Set(legend.map((match) => `${match[1]} ${match[2]}`)).size, 20, 'each has a look of its own');
});

test('labels of points in one place stand one below the other, inside the drawing', async () => {
  const plot = plotsOf(crowd(20))[1]!;
  const svg = await renderSvg(plot, 'x');
  const labels = textsOf(svg).filter(({ text }) => /topk|d_sae|k=\d/.test(text));
  assert.ok(labels.length >= 40, `${labels.length} lines`);
  const ys = labels.map(({ y }) => y).sort((a, b) => a - b);
  assert.ok(ys[0]! > 0 && ys.at(-1)! < plot.height!, `${ys[0]} to ${ys.at(-1)} of ${plot.height}`);
  for (let i = 1; i < ys.length; i++) assert.ok(ys[i]! - ys[i - 1]! > 10, `${ys[i - 1]} and ${ys[i]}`);
});

test('bars carry long names whole, in lines', async () => {
  const texts = textsOf(await renderSvg(plotsOf(crowd(12))[0]!, 'x')).map(({ text }) => text);
  const joined = texts.join('').replaceAll(/\s/g, '');
  for (let i = 0; i < 12; i++) assert.ok(joined.includes(nameOf(i).replaceAll(/\s/g, '')), nameOf(i));
});

test('bars of an amount start at zero, where the least is no bar otherwise; those of shares do not', () => {
  const startOf = (range: [number | null, number | null], values: number[]) => {
    const results = values.map((value, i) => {
      return resultWith(nameOf(i), [
        { axes: {}, metrics: { macs: { ...metric(value, null, { main: true }), range } } },
      ]);
    });
    const { min } = plotsOf(results)[0]!.option.xAxis as { min: number };
    return min;
  };
  assert.is(startOf([0, null], [11_264, 51_712, 1_048_576]), 0);
  assert.is(startOf([0, 1], [0.55, 0.9]), 0.5);
});

test('labels leave out axes that all ranked rows share', () => {
  const row = (selection: string) => ({ axes: { selection, control: 'none' }, metrics: { auroc: metric(0.5, null) } });
  const [table] = buildTables([resultWith('a', [row('auroc')]), resultWith('b', [row('detector')])]);
  assert.equal(table!.rows.map(rowLabels(table!.rows)), ['a · auroc', 'b · detector']);
  const [same] = buildTables([resultWith('a', [row('auroc')]), resultWith('b', [row('auroc')])]);
  assert.equal(same!.rows.map(rowLabels(same!.rows)), ['a', 'b']);
});

test('long text breaks behind punctuation, and anywhere where there is none', () => {
  assert.is(wrapped('short', 100, 10), 'short');
  assert.is(wrapped('aaaaaaaa-bbbbbbbb k=16', 64, 10), 'aaaaaaaa-\nbbbbbbbb \nk=16'.replace(' \n', '\n'));
  assert.is(wrapped('x'.repeat(25), 64, 10), `${'x'.repeat(10)}\n${'x'.repeat(10)}\n${'x'.repeat(5)}`);
  assert.is(wrapped('', 64, 10), '');
});

test('where curves do not all fit, each method keeps one, the best methods come first, and the caption counts the rest', () => {
  const many = meanCurves(crowd(20), 'roc', { ranked: shows.ranked });
  assert.equal(
    many.lines.map(({ label }) => label),
    Array.from({ length: 20 }, (_, i) => `${nameOf(i)} · auroc`),
  );
  assert.is(many.left, 20);
  assert.is(meanCurves(crowd(5), 'roc').left, 0);
  const plot = plotsOf(crowd(30).reverse()).at(-1)!;
  assert.is(plot.caption, 'Caption. 30 more curves are in the result files.');
  assert.equal(
    plot.legend!.map(({ label }) => label),
    Array.from({ length: 30 }, (_, i) => `${nameOf(i)} · auroc`),
  );
});

/** Two SAEs, a dearer one that is better, a dear one that is worse, a null row that is best; and what they cost. */
function priced(costs: string[] | undefined): Result[] {
  const methods: [name: string, auroc: number, macs: number, control?: boolean][] = [
    ['cheap', 0.7, 1000],
    ['dear', 0.9, 8000],
    ['waste', 0.6, 9000],
    ['null', 0.95, 500, true],
  ];
  const { task } = resultWith('', []);
  return methods.flatMap(([name, auroc, macs, control]) => {
    const quality = { auroc: metric(auroc, [auroc - 0.01, auroc + 0.01], { main: true }) };
    const cost = {
      macs: metric(macs, null, { main: true, direction: 'min' }),
      parameters: metric(2 * macs, null, { direction: 'min' }),
    };
    const shows = costs ? { costs } : {};
    const rows = [
      resultWith(name, [{ axes: {}, metrics: quality }], {
        task: { ...task, id: 'detection', title: 'Detection', shows: {} },
      }),
      resultWith(name, [{ axes: {}, metrics: cost }], { task: { ...task, id: 'costs', title: 'Costs', shows } }),
    ];
    return control ? rows.map((result) => ({ ...result, method: { ...result.method, control } })) : rows;
  });
}

test('where a task says what methods cost, the main metric of every other is drawn against it, the best ringed', async () => {
  const drawn = plotsOf(priced(['macs', 'parameters'])).filter(({ title }) => title.includes('against'));
  assert.equal(
    drawn.map(({ title }) => title),
    ['Detection: AUROC against MACs', 'Detection: AUROC against parameters'],
  );
  const [series] = (drawn[0]!.option as { series: { data: { value: number[]; name: string; itemStyle: object }[] }[] })
    .series;
  const points = Object.fromEntries(
    series!.data.map(({ name, value, itemStyle }) => [name, [...value, 'borderColor' in itemStyle]]),
  );
  // The null row beats all and is not counted; what costs more and is worse has no ring.
  assert.equal(points, {
    null: [500, 0.95, false],
    cheap: [1000, 0.7, true],
    dear: [8000, 0.9, true],
    waste: [9000, 0.6, false],
  });
  const { html } = await renderTexts(priced(['macs']));
  assert.is(html.split('<b>Detection: AUROC against MACs').length, 2, 'once, and not among its own costs');
  assert.is(plotsOf(priced(undefined)).filter(({ title }) => title.includes('against')).length, 0);
  assert.is(plotsOf(priced(['unknown'])).filter(({ title }) => title.includes('against')).length, 0);
});

test.run();
