/** @file Variants over their settings: one curve a variant and width, values at equal sizes, laws where there are widths enough. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../harness/num/rng.ts';
import { jointLoss } from '../harness/num/stats/scaling-law.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables } from './aggregate.ts';
import { frontsOf, matchedTable } from './fronts.ts';
import { renderTexts } from './index.ts';
import { heldOutReading, scalingStudies } from './scaling.ts';
import { tellApart } from './settings.ts';
import { metric, realResult, resultWith } from './testing/results.ts';

const test = suite('reports/fronts');

const display = {
  x: { metric: 'l0' },
  y: 'ev',
  title: 'EV along sparsities',
  caption: 'C.',
  logX: true,
  matched: true,
};
const LAW = { alpha: 0.2, beta_k: -0.4, beta_n: -0.2, gamma: 0.01, zeta: -3, eta: -0.1 };

/** A training of a real method with other sizes and values in their place. */
function trained(id: string, d_sae: number, k: number, ev: number): Result {
  const real = realResult('relu', 'concept-detection');
  const metrics = {
    ev: metric(ev, [ev - 0.01, ev + 0.01], { main: true }),
    l0: metric(k * 0.99, null, { direction: 'none' }),
  };
  const task = { ...real.task, shows: { fronts: [display], scaling: { missing: 'ev' } } };
  const result = resultWith(`${id}-d_sae-${d_sae}-k-${k}`, [{ axes: {}, metrics }], { task });
  const training = { ...realResult('relu', 'reconstruction').training!, parameters: 2 * 128 * d_sae, tokens: 1e5 };
  return { ...result, training, method: { ...result.method, id, d_sae, sparsity: 'k', options: { d_sae, k } } };
}

const two = () => [
  ...[8, 16, 32].map((k) => trained('a', 64, k, 0.5 + k / 100)),
  ...[4, 16, 64].map((k) => trained('b', 64, k, 0.6 + k / 400)),
];

test('settings that differ in sparsity alone are a curve; values at equal sizes, best first in the middle', () => {
  const [table] = buildTables(two());
  const [front, ...others] = frontsOf(table!, [table!]);
  assert.is(others.length, 0);
  const sizes = Object.fromEntries(front!.curves.map(({ label, points }) => [label, points.map(({ x }) => x)]));
  assert.equal(sizes, { a: [7.92, 15.84, 31.68], b: [3.96, 15.84, 63.36] });
  const matched = matchedTable(front!, table!)!;
  assert.equal(matched.columns, ['L0 8', 'L0 16', 'L0 32']);
  assert.equal(
    matched.rows.map(({ label, cells }) => [label, cells[0], cells[1]]),
    [
      ['a', '0.580 [0.570, 0.590]', '0.662 [0.652, 0.672]'],
      ['b', '0.625 [0.615, 0.635]', '0.641 [0.631, 0.651]'],
    ],
  );
  const best = Object.fromEntries(front!.curves.map(({ label, points }) => [label, points.map((point) => point.best)]));
  assert.equal(best, { a: [false, true, true], b: [true, false, false] });
});

test('a value at a size is marked where an interval that it lies between rests on few units', () => {
  const few = (k: number, n: number) => {
    const result = trained('a', 64, k, k / 100);
    const [row] = result.rows;
    const ev = { ...row!.metrics['ev']!, n };
    return { ...result, rows: [{ ...row!, metrics: { ...row!.metrics, ev } }] };
  };
  const [table] = buildTables([few(8, 100), few(16, 100), few(64, 9), ...two().slice(3)]);
  const [front] = frontsOf(table!, [table!]);
  const { rows } = matchedTable(front!, table!)!;
  const cells = rows.find(({ label }) => label === 'a')!.cells;
  assert.equal(
    cells.map((text) => text.endsWith('†')),
    [false, true, true, true],
  );
});

test('a variant with a warning at one of its settings carries the sign where values at equal sizes are compared', () => {
  const [first, ...others] = two();
  const [table] = buildTables([{ ...first!, marks: [{ code: 'dead-latents', message: 'Most are dead.' }] }, ...others]);
  const [front] = frontsOf(table!, [table!]);
  assert.equal(
    matchedTable(front!, table!)!.rows.map(({ label }) => label),
    ['⚠ a', 'b'],
  );
});

test('a setting whose size no row tells is named below the curves', () => {
  const sized = two();
  const { l0: _, ...metrics } = sized[5]!.rows[0]!.metrics;
  const [table] = buildTables([...sized.slice(0, 5), { ...sized[5]!, rows: [{ axes: {}, metrics }] }]);
  const [front] = frontsOf(table!, [table!]);
  assert.is(front!.curves.flatMap(({ points }) => points).length, 5);
  assert.is(front!.display.caption, 'C. Not drawn, for their L0 is not known: b-d_sae-64-k-64.');
  const [whole] = buildTables(two());
  assert.is(frontsOf(whole!, [whole!])[0]!.display.caption, 'C.');
});

test('other options make another curve, with them in its name', () => {
  const [table] = buildTables([64, 128].flatMap((d_sae) => [8, 16].map((k) => trained('a', d_sae, k, d_sae / 200))));
  const [front] = frontsOf(table!, [table!]);
  assert.equal(front!.curves.map(({ label }) => label).sort(), ['a d_sae=128', 'a d_sae=64']);
  const shaped = [1, 2].flatMap((size) =>
    [8, 16].map((k) => {
      const result = trained('a', 64, k, k / 100);
      const { method } = result;
      const name = `${method.name}-${size}`;
      return { ...result, method: { ...method, name, options: { ...method.options, shape: { size } } } };
    }),
  );
  const [other] = buildTables(shaped);
  assert.equal(
    frontsOf(other!, [other!])[0]!.curves.map(({ label }) => label),
    ['a shape={"size":1}', 'a shape={"size":2}'],
  );
});

/** The same setting as another method of its suite, trained otherwise. */
function trainedWith(lr: number, result: Result): Result {
  const { method, training } = result;
  const name = `${method.name}-lr-${lr}`;
  const options = { ...training!.options, lr };
  return {
    ...result,
    method: { ...method, name, identity: name },
    training: { ...training!, options },
    settings: { ...result.settings, row: name },
  };
}

test('settings that differ in their training too are other curves, whatever the order of results', () => {
  const results = [
    ...[8, 16, 32].map((k) => trained('a', 64, k, k / 100)),
    ...[0.1, 0.2].map((lr) => trainedWith(lr, trained('a', 64, 16, 0.5 + lr))),
    ...[8, 16, 32].map((k) => trained('b', 64, k, k / 200)),
  ];
  for (const ordered of [results, results.toReversed()]) {
    const [table] = buildTables(tellApart(ordered));
    const [front] = frontsOf(table!, [table!]);
    const ys = Object.fromEntries(front!.curves.map(({ label, points }) => [label, points.map(({ y }) => y)]));
    const { lr } = results[0]!.training!.options as { lr: number };
    assert.equal(ys, {
      [`a training.lr=${lr}`]: [0.08, 0.16, 0.32],
      'a training.lr=0.1': [0.6],
      'a training.lr=0.2': [0.7],
      b: [0.04, 0.08, 0.16],
    });
  }
});

test('results of two backends in one folder are two curves', () => {
  const on = (name: string, dy: number) =>
    [8, 16].map((k) => {
      const result = trained('a', 64, k, k / 100 + dy);
      const { provenance, settings } = result;
      const backend = { ...provenance.backend, name };
      return { ...result, settings: { ...settings, table: name }, provenance: { ...provenance, backend } };
    });
  const [table] = buildTables(tellApart([...on('cpu', 0), ...on('native', 0.5)]));
  const [front] = frontsOf(table!, [table!]);
  const ys = Object.fromEntries(front!.curves.map(({ label, points }) => [label, points.map(({ y }) => y)]));
  assert.equal(ys, { 'a backend=cpu': [0.08, 0.16], 'a backend=native': [0.58, 0.66] });
});

test('one setting a variant, as in the default suite, makes no front', () => {
  const [table] = buildTables([trained('a', 64, 8, 0.5), trained('b', 64, 8, 0.6)]);
  assert.equal(frontsOf(table!, [table!]), []);
});

test('a size of another task is taken from the same method there', () => {
  const costs = two().map(({ method, task }) => {
    const macs = method.d_sae! * Number((method.options as { k: number }).k);
    const metrics = { macs: metric(macs, null, { main: true, direction: 'min' }) };
    const other = resultWith(method.name, [{ axes: {}, metrics }], { task: { ...task, id: 'costs', shows: {} } });
    return { ...other, method };
  });
  const against = { ...display, x: { metric: 'macs', task: 'costs' }, matched: false };
  const scored = two().map((result) => ({ ...result, task: { ...result.task, shows: { fronts: [against] } } }));
  const tables = buildTables([...scored, ...costs]);
  const [front] = frontsOf(tables[0]!, tables);
  const own = front!.curves.find(({ label }) => label === 'a')!;
  assert.equal(
    own.points.map(({ x }) => x),
    [512, 1024, 2048],
  );
  assert.is(matchedTable(front!, tables[0]!), undefined);
  const renamed = scored.map((result) => ({
    ...result,
    method: { ...result.method, name: `${result.method.name} x=1` },
  }));
  const apart = buildTables([...renamed, ...costs]);
  assert.is(frontsOf(apart[0]!, apart)[0]!.curves.flatMap(({ points }) => points).length, 6, 'told apart in one table');
});

test('with a grid, what a task says that methods cost makes curves of the main metric', () => {
  const costs = two().map(({ method, task }) => {
    const macs = method.d_sae! * Number((method.options as { k: number }).k);
    const metrics = { macs: metric(macs, null, { main: true, direction: 'min' }) };
    const shows = { costs: ['macs'] };
    const other = resultWith(method.name, [{ axes: {}, metrics }], { task: { ...task, id: 'costs', shows } });
    return { ...other, method };
  });
  const tables = buildTables([...two(), ...costs]);
  const fronts = frontsOf(tables[0]!, tables);
  assert.equal(
    fronts.map(({ display: { x, y } }) => [x.metric, y]),
    [
      ['l0', 'ev'],
      ['macs', 'ev'],
    ],
  );
  const own = fronts[1]!.curves.find(({ label }) => label === 'a')!;
  assert.equal(
    own.points.map(({ x, best }) => [x, best]),
    [
      [512, false],
      [1024, true],
      [2048, true],
    ],
  );
  assert.equal(frontsOf(tables[1]!, tables), [], 'a task that says costs is not drawn against them');
});

test('widths and sparsities enough: the law that made the losses, and the width left out', async () => {
  const widths = [64, 128, 256, 512];
  const grid = widths.flatMap((n) => [4, 8, 16, 32].map((k) => trained('a', n, k, 1 - jointLoss(LAW, n, k))));
  const [study, ...others] = scalingStudies(grid).studies;
  assert.is(others.length, 0);
  for (const { n, k, loss } of study!.trainings) {
    assert.ok(Math.abs(jointLoss(study!.law, n, k) / loss - 1) < 1e-4, `${n} ${k}`);
  }
  assert.ok(study!.rows.some(({ name }) => name.includes('n = 512')));
  const { html, leaderboard } = await renderTexts(grid);
  assert.match(html, /Scaling law of a/);
  assert.match(html, /EV along sparsities/);
  assert.match(leaderboard, /\*\*ev at equal L0\*\*/);
  const [older, ...newer] = grid;
  const before = { ...older!, task: { ...older!.task, shows: {} } };
  assert.is(scalingStudies([before, ...newer]).studies.length, 1, 'one from before the task said so, in front');
  assert.equal(scalingStudies(grid.slice(0, 8)).studies, [], 'two widths are too few');
  const [refused] = scalingStudies(grid.slice(0, 8)).refused;
  assert.match(refused!.reason, /expected at least 3 widths.*found 2, 4 and 8$/);
  assert.match((await renderTexts(grid.slice(0, 8))).html, /No scaling law of a: expected at least 3 widths/);
  const lines = [widths.map((n) => trained('a', n, 8, 0.5)), [4, 8, 16, 32].map((k) => trained('a', 64, k, 0.5))];
  for (const line of lines) assert.equal(scalingStudies(line), { studies: [], refused: [] }, 'no grid');
});

test('a study says of how many of its trainings there is a warning, and gives no interval where nothing is known', () => {
  const rng = createRng(2);
  const law = { ...LAW, beta_k: -0.5, beta_n: -0.1, gamma: 0.03, zeta: -6 };
  const grid = [64, 128, 256, 512].flatMap((n) =>
    [4, 8, 16, 32].map((k) => trained('a', n, k, 1 - jointLoss(law, n, k) * (0.9 + 0.2 * rng.uniform()))),
  );
  const marks = [{ code: 'l0-off-target', message: 'L0 is 30.' }];
  const [study] = scalingStudies(grid.map((result, i) => (i < 2 ? { ...result, marks } : result))).studies;
  assert.match(study!.reading[0]!, /^2 of the 16 trainings have a warning/);
  const open = study!.reading.some((line) => line.startsWith('The loss that no width takes away is not determined'));
  const values = study!.rows.filter(({ name }) => /irreducible|its exponent/.test(name)).map(({ value }) => value);
  assert.ok(open, study!.reading.join(' '));
  assert.equal(values, ['not determined', 'not determined']);
});

test('trainings that failed are counted, and stand in no law', () => {
  const grid = [64, 128, 256, 512].flatMap((n) =>
    [4, 8, 16, 32].map((k) => trained('a', n, k, 1 - jointLoss(LAW, n, k))),
  );
  const failing = (most: number) =>
    grid.map((result, i) => (i < most ? { ...result, rows: [], training: undefined, failed: 'loss is NaN' } : result));
  const [study] = scalingStudies(failing(2) as Result[]).studies;
  assert.is(study!.trainings.length, 14);
  assert.match(study!.reading[0]!, /^2 more trainings failed or explain no variance/);
  assert.match(
    scalingStudies(failing(10) as Result[]).refused[0]!.reason,
    /found 2, 4 and 6; 10 of its trainings have no loss$/,
  );
});

test('a width that did worse than a narrower one is told, and a law that guesses beat', () => {
  const grid = [64, 128, 256, 512].flatMap((n) =>
    [4, 8, 16, 32].map((k) => trained('a', n, k, 1 - jointLoss(LAW, n, k) * (n === 512 && k === 32 ? 1.5 : 1))),
  );
  assert.match(
    scalingStudies(grid).studies[0]!.reading.join(' '),
    /At k = 32 the widest SAE did worse than a narrower one/,
  );
  const held = { size: 512, cells: 4, error: 0.05, unchanged: 0.2, line: 0.04 };
  assert.match(heldOutReading([held, undefined], 'width')[0]!, /the law is no better than straight lines/);
  assert.match(heldOutReading([{ ...held, error: 0.2 }], 'width')[0]!, /no better than the guess that nothing changes/);
  assert.equal(
    heldOutReading(
      [
        { ...held, error: 0.03 },
        { ...held, error: 0.03 },
      ],
      'width',
    ),
    [],
  );
  const both = heldOutReading(
    [
      { ...held, error: 0.2 },
      { ...held, error: 0.03 },
    ],
    'width',
  );
  assert.is(both.length, 1, 'a better form does not hide the other');
  assert.match(heldOutReading([undefined], 'width')[0]!, /too few widths to hold one out/);
});

test('a law is fitted to settings of one training only', () => {
  const widths = [64, 128, 256, 512];
  const grid = widths.flatMap((n) => [4, 8, 16, 32].map((k) => trained('a', n, k, 1 - jointLoss(LAW, n, k))));
  const other = grid.map((result) => {
    const { training } = result;
    const options = { ...training!.options, lr: 0.1 };
    const method = { ...result.method, name: `${result.method.name}-lr` };
    return { ...result, method, training: { ...training!, options }, rows: trained('a', 64, 4, 0.1).rows };
  });
  const studies = scalingStudies([...grid, ...other]).studies;
  assert.equal(
    studies.map(({ trainings }) => trainings.length),
    [16, 16],
  );
  assert.ok(studies.every(({ variant }) => variant.startsWith('a training.lr=')));
  assert.not.ok(studies.some(({ reading }) => reading.some((line) => line.includes('differ in'))));
  // Trainings that go by the width are one curve: what else than the width changes is said.
  const longer = grid.map((result) => {
    const options = { ...result.training!.options, tokens: 1000 * result.method.d_sae! };
    return { ...result, training: { ...result.training!, options } };
  });
  const [study] = scalingStudies(longer).studies;
  assert.is(study!.trainings.length, 16);
  assert.match(study!.reading[0]!, /^The trainings differ in training\.tokens too: /);
});

test.run();
