import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result, ResultSubject } from '../../harness/schema/result.generated.ts';
import { buildTables } from '../aggregate.ts';
import { renderTexts } from '../index.ts';
import { metric, realResult, resultWith } from '../testing/results.ts';
import { overviewView } from './markdown.ts';
import { meanRanks } from './mean-rank.ts';
import { overviewOf } from './overview.ts';
import { isFolded, placesOf } from './places.ts';
import { readingOf } from './reading.ts';

const test = suite('reports/overview');

/** Units of a method around its value, with a spread of their own. */
const spread = [0.004, -0.004, 0.002, -0.003, 0.001];

interface Place {
  subject?: string;
  site?: string;
  modality?: ResultSubject['modality'];
  control?: ResultSubject['control'];
}

/** A method's result on concept detection, its units at `value` and a little about it. */
function scored(
  name: string,
  value: number,
  place: Place = {},
  more: Partial<Result> & { kind?: 'sae' | 'baseline' } = {},
) {
  const { subject: id = 'model', site: at = 'blocks.0', modality = 'text', control } = place;
  const turn = name.length % spread.length;
  const values = spread.map((_, i) => value + spread[(i + turn) % spread.length]!);
  const row = {
    axes: {},
    metrics: { auroc: metric(value, null, { main: true }) },
    samples: { unit: 'concept', values },
  };
  const { subject, site } = realResult('relu', 'concept-detection');
  return resultWith(name, [row], {
    ...{ subject: { ...subject, id, modality, ...(control ? { control } : {}) }, site: { ...site, name: at } },
    ...more,
  });
}

/** The same at several places: name → value. */
const field = (values: Record<string, number>, place: Place = {}) =>
  Object.entries(values).map(([name, value]) => scored(name, value, place));

const placesIn = (results: readonly Result[]) => placesOf([{ tables: buildTables(results) }]);
const ranksIn = (results: readonly Result[]) => Object.fromEntries(meanRanks(placesIn(results)));

test('models stand before worlds, planted subjects and random weights; other sites and random weights are folded', () => {
  const places = placesIn([
    ...field({ a: 0.9, b: 0.8 }, { subject: 'drawn', control: 'random-weights' }),
    ...field({ a: 0.9 }, { subject: 'given', control: 'planted' }),
    ...field({ a: 0.9 }, { subject: 'world', modality: 'vectors' }),
    ...field({ a: 0.9 }, { site: 'blocks.9' }),
    ...field({ a: 0.9, b: 0.8 }),
  ]);
  assert.equal(
    places.map((place) => `${place.subject.id} ${place.site.name}${isFolded(place) ? ' folded' : ''}`),
    ['model blocks.0', 'model blocks.9 folded', 'world blocks.0', 'given blocks.0', 'drawn blocks.0 folded'],
  );
});

test('mean ranks go from 0 to 1 over models; random weights, planted subjects and worlds do not count', () => {
  const first = field({ a: 0.9, b: 0.8, c: 0.7 }, { subject: 'one' });
  assert.equal(ranksIn(first), {
    a: { value: 0, ci95: null, n: 1 },
    b: { value: 0.5, ci95: null, n: 1 },
    c: { value: 1, ci95: null, n: 1 },
  });
  const others = (['random-weights', 'planted'] as const).flatMap((control) =>
    field({ a: 0.1, b: 0.2, c: 0.3 }, { subject: control, control }),
  );
  const world = field({ a: 0.1, b: 0.2, c: 0.3 }, { subject: 'world', modality: 'vectors' });
  assert.equal(ranksIn([...others, ...world, ...first]), ranksIn(first));
  assert.equal(ranksIn([...others, ...world]), {});

  const both = ranksIn([...first, ...field({ a: 0.8, b: 0.9, c: 0.7 }, { subject: 'two' })]);
  assert.is(both['a']!.value, 0.25);
  assert.is(both['b']!.value, 0.25);
  assert.is(both['a']!.n, 2);
  assert.ok(both['a']!.few && both['a']!.ci95![0] === 0 && both['a']!.ci95![1] > 0.25);
});

test('a place that does not count says no mean rank: that of others is not its own', () => {
  const of = { a: 0.9, b: 0.8, c: 0.7 };
  const places = placesIn([
    ...field(of, { subject: 'one' }),
    ...field(of, { subject: 'drawn', control: 'random-weights' }),
    ...field(of, { subject: 'given', control: 'planted' }),
    ...field(of, { subject: 'world', modality: 'vectors' }),
  ]);
  const ranks = meanRanks(places);
  assert.equal(
    places.map((place) => [
      place.subject.id,
      overviewOf(place, ranks).bands.flatMap(({ rows }) => rows.map(({ meanRank }) => meanRank?.value)),
    ]),
    [['one', [0, 0.5, 1]], ...['world', 'given', 'drawn'].map((id) => [id, [undefined, undefined, undefined]])],
  );
});

test('equal values share a rank; two SAEs are no field; baselines and controls have no mean rank', () => {
  const ranks = ranksIn([...field({ a: 0.9, b: 0.9, c: 0.7 }), scored('probe', 0.99, {}, { kind: 'baseline' })]);
  assert.equal(Object.keys(ranks), ['a', 'b', 'c']);
  assert.is(ranks['a']!.value, 0.25);
  assert.is(ranks['b']!.value, 0.25);
  assert.equal(ranksIn(field({ a: 0.9, b: 0.8 })), {});
});

test('an SAE without a value of a task that rates the others has no mean rank', () => {
  const other = field({ a: 0.5, b: 0.6, c: 0.7 }).map((result) => ({
    ...result,
    task: { ...result.task, id: 'other' },
  }));
  const ranks = ranksIn([...field({ a: 0.9, b: 0.8, c: 0.7, d: 0.6 }), ...other]);
  assert.equal(Object.keys(ranks), ['a', 'b', 'c']);
  assert.is(ranks['a']!.value, 0.5);
});

const reading = (results: readonly Result[]) =>
  readingOf(placesIn(results)[0]!).map(({ lead, text }) => `${lead} ${text}`);

test('the reading says which SAE is best, from whom it is not told apart, and whether baselines beat it', () => {
  const results = [
    ...field({ top: 0.9, near: 0.899, lower: 0.6 }),
    scored('probe', 0.95, {}, { kind: 'baseline' }),
    scored('words', 0.5, {}, { kind: 'baseline' }),
  ];
  assert.equal(reading(results), [
    'Best SAE: top in concept detection (AUROC 0.900, not told apart from near).',
    "Do baselines beat it? In concept detection yes: probe 0.950 against top's 0.900.",
  ]);
  assert.equal(
    reading(results.filter(({ method }) => method.name !== 'probe'))[1],
    "Do baselines beat it? In concept detection no: top's 0.900 is above words.",
  );
  assert.match(
    reading([...field({ top: 0.9, lower: 0.6 }), scored('same', 0.901, {}, { kind: 'baseline' })]).join(' '),
    /ahead of the other\).*it cannot be told: same \(higher\) against top's 0\.900/,
  );
  assert.match(reading(field({ only: 0.9 }))[0]!, /^One SAE, with no other to compare it with: only in/);
  assert.equal(reading([scored('probe', 0.95, {}, { kind: 'baseline' })]), []);
});

test('what cannot be tested is not told apart: one seed without units', () => {
  const bare = field({ top: 0.9, lower: 0.1 }).map((result) => {
    const { samples: _samples, ...row } = result.rows[0]!;
    return { ...result, rows: [row] };
  });
  assert.match(reading(bare)[0]!, /not told apart from lower\)/);
});

test('a table whose ranks are withheld rates nothing', () => {
  const withheld = { beatenBy: ['echo'], reason: 'r' };
  const judged = [...field({ a: 0.9, b: 0.8, c: 0.7 }), scored('echo', 0.99)].map((result) => ({
    ...result,
    method: { ...result.method, control: result.method.id === 'echo' },
    task: { ...result.task, shows: { withheld } },
  }));
  assert.equal(ranksIn(judged), {});
  assert.equal(reading(judged), []);
  const [place] = placesIn(judged);
  assert.match(overviewOf(place!, new Map()).withheld.join(), /^concept detection: Ranks withheld: echo \(0\.990\)/);
});

test('a row tells first and tied, and in a word what a reader must know of the method', () => {
  const [best, near, far, null_, checkpoint] = [
    ...field({ best: 0.9, near: 0.899, far: 0.5 }),
    scored('null', 0.2),
    scored('checkpoint', 0.4),
  ];
  const results = [
    { ...best!, marks: [{ code: 'dead-latents', message: 'm' }] },
    { ...near!, limited: true },
    far!,
    { ...null_!, method: { ...null_!.method, control: true } },
    checkpoint!,
  ];
  const { bands } = overviewOf(placesIn(results)[0]!, new Map());
  assert.equal(
    bands.flatMap(({ rows }) =>
      rows.map(({ method, cells, marks }) => [method.name, cells[0]!.standing, marks.join()]),
    ),
    [
      ['best', 'first', '⚠ dead latents'],
      ['near', 'tied', 'limited'],
      ['far', undefined, ''],
      ['checkpoint', undefined, 'published'],
      ['null', undefined, 'control'],
    ],
  );
});

test('names and headings are escaped; the leaderboard begins with the overview, the mean rank says its number of models', async () => {
  const name = '</script>\\input{x}|*';
  const results = [...field({ a: 0.8, b: 0.7 }), scored(name, 0.9, { subject: 'model' })];
  const view = overviewView(overviewOf(placesOf([{ heading: '<b>', tables: buildTables(results) }])[0]!, new Map()));
  const shown = '&lt;/script&gt;\\\\input{x}\\|\\*';
  assert.is(view.bands[0]!.rows[0]!.method, `**${shown}**`);
  assert.match(view.reading[0]!, `**Best SAE:** ${shown} in concept`);
  assert.match(view.kind, '&lt;b&gt;, language model');
  const { leaderboard } = await renderTexts(results);
  assert.not.match(leaderboard, '</script>');
  assert.ok(leaderboard.indexOf('\n## Overview') < leaderboard.indexOf('\n## Concept detection'));
  assert.match(leaderboard, `| **${shown}** | **0.900** | 0 (1) |`);
});

test.run();
