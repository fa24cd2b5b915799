import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TaskDefinition } from '../harness/contract.ts';
import { createRng } from '../harness/num/rng.ts';
import { meanInterval } from '../harness/num/stats/interval.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { buildTables, combineSeeds } from './aggregate.ts';
import { rowGroups } from './leaderboard.ts';
import { bandTitle, powerText, rankLabel } from './ranks.ts';
import type { TableRow } from './table.ts';
import { metric, resultWith } from './testing/results.ts';

const test = suite('reports/aggregate');
const combined = (seeds: ReturnType<typeof metric>[]) => combineSeeds(seeds, seeds[0]!);
const near = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} vs ${expected}`);

test('one seed keeps its own interval', () => {
  const cell = combined([metric(0.7, [0.6, 0.75])]);
  assert.equal([cell.value, cell.ci95, cell.seeds, cell.sd], [0.7, [0.6, 0.75], 1, null]);
});

test('seeds that give the same value without an interval: no interval', () => {
  const three = (more: object) => combined([0, 1, 2].map(() => metric(16, null, more)));
  for (const range of [
    [null, null],
    [0, null],
    [0, 16],
  ])
    assert.is(three({ range }).ci95, null);
  assert.is(three({}).sd, 0);
});

test('several seeds: t interval between seeds and the interval within, in squares, by hand', () => {
  const z = 1.959964;
  const t = [0, 12.706205, 4.302653];
  // Values 0.6 and 0.8: mean 0.7, variance between 0.02, of the mean 0.01. Within: half width z·0.1, so variance 0.01.
  const cell = combined([metric(0.6, [0.6 - z * 0.1, 0.6 + z * 0.1]), metric(0.8, [0.8 - z * 0.1, 0.8 + z * 0.1])]);
  near(cell.value!, 0.7);
  const half = Math.hypot(t[1]! * 0.1, z * 0.1);
  near(cell.ci95![0], 0.7 - half, 1e-6);
  near(cell.ci95![1], 0.7 + half, 1e-6);
  near(cell.sd!, Math.sqrt(0.02));
  const three = combined([metric(1, null), metric(2, null), metric(3, null)]);
  near(three.ci95![1], 2 + t[2]! / Math.sqrt(3), 1e-6);
  // Never beyond the metric's own range.
  const inRange = [0.5, 0.9, 1].map((value) => metric(value, null, { range: [0, 1] }));
  assert.is(combined(inRange).ci95![1], 1);
  near(combined(inRange).ci95![0], 0.8 - (t[2]! * Math.sqrt(0.07)) / Math.sqrt(3), 1e-6);
});

test('an interval within a seed keeps its shape, and one from fewer than ten units is told', () => {
  const lopsided = combined([metric(0.9, [0.7, 0.95]), metric(0.9, [0.7, 0.95])]);
  near(lopsided.ci95![0], 0.7);
  near(lopsided.ci95![1], 0.95);
  assert.is(lopsided.few, undefined);
  const few = (n: number, units?: number) =>
    combined([metric(0.5, [0.4, 0.6], { n, ...(units === undefined ? {} : { units }) })]).few;
  assert.equal([few(9), few(10), few(5000, 9), few(4, 10)], [true, undefined, true, undefined]);
  assert.is(combined([metric(0.5, null), metric(0.6, null)]).few, true, 'two seeds are two units');
  assert.is(combined([metric(0.5, null)]).few, undefined, 'no interval, no mark');
});

test('seeds that differ little and much: the joined interval covers 93 to 98.5 %', () => {
  // Items and concepts shared by the seeds, what a seed makes of all items, and of each: 20 items, 3 seeds.
  const [trials, items, seeds] = [800, 20, 3];
  for (const [ofItem, ofSeed, ofBoth] of [
    [1, 0, 0.3],
    [1, 0.2, 0.3],
    [1, 1, 0.5],
    [0, 1, 0.1],
  ] as const) {
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const rng = createRng(`seeds ${ofItem} ${ofSeed} ${ofBoth}`).fork(trial);
      const shared = Array.from({ length: items }, () => ofItem * rng.normal());
      const results = Array.from({ length: seeds }, () => {
        const all = ofSeed * rng.normal();
        const { value, ci, n } = meanInterval(shared.map((item) => item + all + ofBoth * rng.normal()))!;
        return metric(value, ci, { n });
      });
      const [low, high] = combined(results).ci95!;
      if (low <= 0 && high >= 0) covered++;
    }
    const error = Math.sqrt((0.95 * 0.05) / trials);
    const share = covered / trials;
    assert.ok(share > 0.93 - 2 * error && share < 0.985 + 2 * error, `${ofItem} ${ofSeed} ${ofBoth}: ${share}`);
  }
});

test('empty cells stay empty with their reason, and do not count as zero', () => {
  const empty = combined([metric(null, null), metric(null, null)]);
  assert.equal([empty.value, empty.reason, empty.seeds], [null, 'has no decoder', 0]);
  near(combined([metric(null, null), metric(0.5, null)]).value!, 0.5);
});

test('rows are ranked by the main metric in its direction; equal values share a rank, empty ones have none', () => {
  const result = (name: string, value: number | null) =>
    resultWith(name, [{ axes: {}, metrics: { loss: metric(value, null, { main: true, direction: 'min' }) } }]);
  const [table] = buildTables([result('a', 2), result('b', 1), result('c', null), result('d', 1)]);
  assert.equal(
    table!.rows.map(({ method, rank }) => [method.name, rank]),
    [
      ['b', 1],
      ['d', 1],
      ['a', 3],
      ['c', null],
    ],
  );
});

/** A result with a value for each concept. */
const scored = (name: string, values: number[], seed = 0, more: Parameters<typeof resultWith>[2] = {}) =>
  resultWith(
    name,
    [
      {
        axes: {},
        metrics: {
          auroc: metric(values.reduce((a, b) => a + b) / values.length, [0, 1], { main: true, range: [0, 1] }),
        },
        samples: { unit: 'concept', ids: values.map((_, i) => `concept ${i}`), values },
      },
    ],
    { seed, ...more },
  );
const standings = (results: Result[]) =>
  buildTables(results)[0]!.rows.map(({ method, rank, standing }) => [method.name, rank, standing]);
const spread = Array.from({ length: 16 }, (_, i) => 0.5 + 0.03 * i);

test('methods are compared in pairs: an interval as wide as the range earns nothing', () => {
  const worse = spread.map((value, i) => value - 0.05 + 0.002 * (i % 3));
  const alike = spread.map((value, i) => value - 0.01 + (i % 2 === 0 ? 0.1 : -0.1));
  assert.equal(standings([scored('a', spread), scored('b', worse), scored('c', alike)]), [
    ['a', 1, undefined],
    ['c', 2, 'tied'],
    ['b', 3, 'apart'],
  ]);
});

test('many comparisons: what one pair alone would tell apart is not, among twenty', () => {
  // One comparison: p about 0.02.
  const worse = spread.map((value, i) => value - 0.026 + 0.045 * ((i * 7) % 5 < 2 ? 1 : -0.667));
  const one = buildTables([scored('a', spread), scored('b', worse)])[0]!.rows[1]!;
  assert.ok(one.p! < 0.05 && one.p! > 0.0025, `p ${one.p}`);
  const noise = (k: number) => spread.map((value, i) => value - 0.001 + 0.3 * Math.sin(10 * k + 3 * i));
  const many = buildTables([
    scored('a', spread),
    scored('b', worse),
    ...Array.from({ length: 19 }, (_, k) => scored(`n${k}`, noise(k))),
  ])[0]!;
  assert.is(many.rows.find(({ method }) => method.name === 'b')!.standing, 'tied');
});

test('what ≈ leaves open is said: the difference that the test would have found', () => {
  const alike = spread.map((value, i) => value - 0.01 + (i % 2 === 0 ? 0.1 : -0.1));
  const [first, other] = buildTables([scored('a', spread), scored('b', alike)])[0]!.rows;
  assert.is(first!.detectable, undefined);
  // Differences .01 ± .1: sd 0.1 · √(16 / 15), over √16; t of fifteen degrees of freedom 2.131450 and 0.866245.
  assert.ok(Math.abs(other!.detectable! - (2.13145 + 0.866245) * ((0.1 * Math.sqrt(16 / 15)) / 4)) < 1e-5);
  assert.match(
    powerText([first!, other!])!,
    /^A difference of 0\.077 from the first would be found with a power of 80 %/,
  );
  assert.is(powerText([first!]), undefined);
});

test('where the scale has no room for a difference that would be found, nothing can be told, and that is said', () => {
  const noisy = spread.map((_, i) => (i % 2 === 0 ? 0.01 : 0.99));
  const other = spread.map((_, i) => (i % 2 === 0 ? 0.9 : 0));
  const [first, ...others] = buildTables([scored('a', noisy), scored('b', other)])[0]!.rows;
  // Differences −.89 and .99: over 3 standard errors of .24, and the first is .5 above the end of the scale.
  assert.ok(others[0]!.detectable! > 0.5 && others[0]!.blind);
  assert.match(
    powerText([first!, ...others])!,
    /^Nothing can be told of differences from the first: only ones of 0\.\d+, larger than/,
  );
  const near = spread.map((value, i) => noisy[i]! - 0.1 * value);
  const mixed = buildTables([scored('a', noisy), scored('b', other), scored('c', near)])[0]!.rows;
  const text = powerText(mixed)!;
  assert.match(text, /^A difference of 0\.0\d+ from the first would be found .* Of 1 of 2 methods nothing can be told/);
});

test('counted by its definition: any difference is one, of a single seed too; without the word equal values of seeds show nothing', () => {
  const sized = (name: string, value: number, counted: boolean, seed = 0) =>
    resultWith(
      name,
      [{ axes: {}, metrics: { macs: metric(value, null, { main: true, direction: 'min', counted }) } }],
      { seed },
    );
  assert.equal(standings([sized('a', 10, true), sized('b', 10, true), sized('c', 20, true)]), [
    ['a', 1, undefined],
    ['b', 1, 'tied'],
    ['c', 3, 'apart'],
  ]);
  const seeds = [0, 1];
  assert.equal(standings(seeds.flatMap((seed) => [sized('a', 10, false, seed), sized('c', 20, false, seed)]))[1], [
    ...['c', 2, 'tied'],
  ]);
  // What differs by seed was not counted, whatever its definition says.
  const drawn = seeds.flatMap((seed) => [sized('a', 10 + seed, true, seed), sized('c', 20 + 3 * seed, true, seed)]);
  assert.not.equal(standings(drawn)[1]![2], undefined);
  assert.is(buildTables(drawn)[0]!.rows[1]!.p !== undefined, true);
});

test('without values by unit seeds are compared; without seeds nothing is claimed', () => {
  const bare = (name: string, value: number, seed: number) =>
    resultWith(name, [{ axes: {}, metrics: { auroc: metric(value, null, { main: true }) } }], { seed });
  assert.equal(standings([bare('a', 0.9, 0), bare('b', 0.5, 0)]), [
    ['a', 1, undefined],
    ['b', 2, 'untested'],
  ]);
  const seeds = [0, 1, 2].flatMap((seed) => [bare('a', 0.9 + 0.001 * seed, seed), bare('b', 0.5 - 0.001 * seed, seed)]);
  assert.is(standings(seeds)[1]![2], 'apart');
});

test('nulls hold no rank, not even the first, and nothing is compared with them', () => {
  const null_ = scored(
    'null',
    spread.map((value) => value + 0.05),
  );
  const rows = standings([
    { ...null_, method: { ...null_.method, control: true } },
    scored('a', spread),
    scored('b', spread),
  ]);
  assert.equal(rows, [
    ['null', null, undefined],
    ['a', 1, undefined],
    ['b', 1, 'tied'],
  ]);
});

test('one selection is ranked, by the preference that the task declares; the others are details', () => {
  const row = (selection: string, value: number) => ({
    axes: { selection },
    metrics: { auroc: metric(value, null, { main: true }) },
  });
  const task = { ...resultWith('x', []).task, shows: { ranked: { selection: ['detector', 'auroc'] } } };
  const [table] = buildTables([
    resultWith('sae', [row('probe-k16', 0.99), row('auroc', 0.8)], { task }),
    resultWith('both', [row('auroc', 0.7), row('detector', 0.6)], { task }),
    resultWith('other', [row('label', 0.9)], { task }),
  ]);
  assert.equal(
    table!.rows.map(({ method, axes, rank, detail }) => [method.name, axes['selection'], rank, detail]),
    [
      ['sae', 'auroc', 1, false],
      ['both', 'detector', 2, false],
      ['sae', 'probe-k16', null, true],
      ['other', 'label', null, true],
      ['both', 'auroc', null, true],
    ],
  );
});

test('bands: ranks begin anew in each, dense rows stand apart without one', () => {
  const task = { ...resultWith('x', []).task, shows: { bands: { metric: 'l0', ratio: 2, dense: 0.5 } } };
  const site = { name: 'blocks.0.hook_resid_post', d_in: 96, kind: 'tokens' as const };
  const result = (name: string, value: number, l0: number) =>
    resultWith(name, [{ axes: {}, metrics: { ev: metric(value, null, { main: true }), l0: metric(l0, null) } }], {
      task,
      site,
    });
  const [table] = buildTables([
    result('neurons', 1, 96),
    result('k16', 0.9, 16.4),
    result('pca-16', 0.8, 16),
    result('k8', 0.7, 8),
    result('half', 0.95, 48),
    result('k12', 0.85, 12),
  ]);
  assert.equal(
    table!.rows.map(({ method, band, rank }) => [method.name, band, rank]),
    [
      ['k8', 'L0 5.66 to 11.3', null],
      ['k16', 'L0 11.3 to 22.6', 1],
      ['k12', 'L0 11.3 to 22.6', 2],
      ['pca-16', 'L0 11.3 to 22.6', 3],
      ['neurons', 'dense (L0 of at least 48): no compression', null],
      ['half', 'dense (L0 of at least 48): no compression', null],
    ],
  );
  assert.is(table!.rows[0]!.standing, 'alone');
  assert.is(rankLabel(table!.rows[0]!), '–');
  const [{ title, rows }] = rowGroups(table!.rows).bands as [{ title: string; rows: TableRow[] }];
  assert.is(bandTitle({ title, rows }), 'L0 5.66 to 11.3 (one method alone: no rank)');
});

test('what stands beside a method as its control has no rank and takes none from others', () => {
  const row = (value: number, control?: boolean) => ({
    axes: { control: control ? 'random' : 'none' },
    metrics: { ms: metric(value, null, { main: true }) },
    ...(control ? { control } : {}),
  });
  const [table] = buildTables([resultWith('a', [row(0.5), row(0.9, true)]), resultWith('b', [row(0.3)])]);
  assert.equal(
    table!.rows.map(({ method, control, rank }) => [method.name, control, rank]),
    [
      ['a', undefined, 1],
      ['b', undefined, 2],
      ['a', 'row', null],
    ],
  );
});

test('counts differ where their values do, without a test', () => {
  const row = (value: number) => [
    { axes: {}, metrics: { macs: metric(value, null, { main: true, direction: 'min', counted: true }) } },
  ];
  const [table] = buildTables(
    [0, 1].flatMap((seed) => [
      resultWith('a', row(100), { seed }),
      resultWith('b', row(100), { seed }),
      resultWith('c', row(200), { seed }),
    ]),
  );
  assert.equal(
    table!.rows.map((each) => [each.method.name, rankLabel(each)]),
    [
      ['a', '1'],
      ['b', '≈ 1'],
      ['c', '3'],
    ],
  );
});

test('what tasks show is what they have', async () => {
  for (const id of [
    'concept-detection',
    'monosemanticity',
    'reconstruction',
    'steering',
    'attribute-pairs',
    'efficiency',
    'ground-truth',
  ]) {
    const { metrics, axes, shows } = (await import(`../tasks/${id}.ts`)).default as TaskDefinition;
    const fronts = shows!.fronts?.flatMap(({ x, y }) => (x.task ? [y] : [y, x.metric])) ?? [];
    for (const { x } of shows!.fronts ?? []) {
      if (!x.task) continue;
      const other = (await import(`../tasks/${x.task}.ts`)).default as TaskDefinition;
      assert.ok(x.metric in other.metrics, `${id}: ${x.task} has no ${x.metric}`);
    }
    const bands = shows!.bands ? [shows!.bands.metric] : [];
    const named = [...shows!.columns!, ...bands, ...fronts, ...(shows!.costs ?? [])];
    assert.equal(
      named.filter((name) => !(name in metrics)),
      [],
      id,
    );
    assert.equal(
      Object.keys(shows!.ranked ?? {}).filter((axis) => !(axis in axes)),
      [],
      id,
    );
  }
});

test('seeds are joined by method and axes, tables by subject, site and task', () => {
  const row = (selection: string, value: number) => ({
    axes: { selection },
    metrics: { auroc: metric(value, null, { main: true }) },
  });
  const tables = buildTables([
    resultWith('a', [row('auroc', 0.5), row('label', 0.4)], { seed: 0 }),
    resultWith('a', [row('auroc', 0.7), row('label', 0.4)], { seed: 1 }),
    resultWith('a', [row('auroc', 0.1)], { site: { name: 'blocks.1.hook_resid_post', d_in: 8, kind: 'tokens' } }),
  ]);
  assert.is(tables.length, 2);
  assert.is(tables[0]!.rows.length, 2);
  near(tables[0]!.rows[0]!.cells['auroc']!.value!, 0.6);
  assert.equal(tables[0]!.seeds, [0, 1]);
});

test.run();
