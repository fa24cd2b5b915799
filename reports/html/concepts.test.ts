import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../../harness/schema/result.generated.ts';
import { buildTables } from '../aggregate.ts';
import { renderTexts } from '../index.ts';
import { placesOf } from '../overview/places.ts';
import { metric, resultWith } from '../testing/results.ts';
import { conceptTables } from './concepts.ts';

const test = suite('reports/html/concepts');

function scored(name: string, scores: Record<string, number>, more: Partial<Result> = {}, unit = 'concept'): Result {
  const values = Object.values(scores);
  const value = values.reduce((a, b) => a + b) / values.length;
  const axes = { intervention: 'add', selection: 'auroc' };
  const samples = { unit, ids: Object.keys(scores), values };
  return resultWith(name, [{ axes, metrics: { auroc: metric(value, null, { main: true }) }, samples }], more);
}

const tablesOf = (results: Result[]) => conceptTables(placesOf([{ tables: buildTables(results) }]), results).tables;

test('a concept has the mean over seeds of each method, and null where a method has none', () => {
  const [table] = tablesOf([
    scored('a', { x: 0.2, y: 0.8 }),
    scored('a', { x: 0.4, y: 0.8 }, { seed: 1 }),
    scored('b', { y: 0.5, z: 0.123456 }),
  ]);
  assert.equal(
    table!.concepts.map(({ id }) => id),
    ['x', 'y', 'z'],
  );
  assert.equal(
    table!.methods.map(({ name, scores }) => [name, scores]),
    [
      ['a', [0.3, 0.8, null]],
      ['b', [null, 0.5, 0.1235]],
    ],
  );
});

test('units without names and units that are no concepts are no table', () => {
  assert.equal(tablesOf([scored('a', { x: 0.2, y: 0.8 }, {}, 'block of documents')]), []);
  const unnamed = scored('a', { x: 0.2, y: 0.8 });
  unnamed.rows[0]!.samples = { unit: 'concept', values: [0.2, 0.8] };
  assert.equal(tablesOf([unnamed]), []);
});

test('what a method used is told by the details of its row, whatever else is in them', () => {
  const examples = [
    { prompt: 'Say', text: 'x'.repeat(999), overall: 2, latent: 3 },
    'none',
    { text: 4 },
    { text: 'third' },
  ];
  const details = {
    'auroc/add': [{ id: 'x', label: 'An x', latent: 7, sign: -1, factor: 0.5, examples }, null, { id: 5 }, 'y'],
    'auroc/clamp': [{ id: 'y', latent: 9 }],
    judge: { id: 'x' },
  };
  const [table] = tablesOf([scored('a', { x: 0.2, y: 0.8 }, { details })]);
  assert.equal(table!.concepts, [
    { id: 'x', label: 'An x' },
    { id: 'y', label: 'y' },
  ]);
  const [used, none] = table!.methods[0]!.used;
  assert.is(none, null);
  assert.is(used!.by, 'latent 7, sign -1, factor 0.5');
  assert.equal(used!.examples, [{ prompt: 'Say', text: 'x'.repeat(400), ratings: 'overall 2' }]);
});

test('images that were steered are told by factor, with the thumbnails that the results have of them alone', () => {
  const steered = [{ factor: 1, item: 'near', answer: 'red', overall: 0.51234 }, { factor: 'x', item: 'y' }, null];
  const pictures = [{ item: 'own', answer: 'blue', steered }, { item: 4 }, { item: 'third', answer: 'b', steered: [] }];
  const images = { own: 'UklGRg==', near: '"><script>', other: 'UklGRg==' };
  const details = { 'auroc/add': [{ id: 'x', label: 'X', pictures }], images };
  const [table] = tablesOf([scored('a', { x: 0.2, y: 0.8 }, { details })]);
  assert.equal(table!.methods[0]!.used[0]!.pictures, [
    { item: 'own', answer: 'blue', steered: [{ factor: 1, item: 'near', answer: 'red', overall: 0.512 }] },
  ]);
  assert.equal(table!.images, { own: 'UklGRg==' });
});

test('where steered texts are too many for a page fewer are there, which is said, and the scores are all', () => {
  const ids = Array.from({ length: 200 }, (_, i) => `c${i}`);
  const scores = Object.fromEntries(ids.map((id, i) => [id, i / 200]));
  const examples = Array.from({ length: 3 }, () => ({ text: '字'.repeat(400), overall: 2 }));
  const many = (methods: number) => {
    const details = { 'auroc/add': ids.map((id) => ({ id, latent: 3, examples })) };
    const results = Array.from({ length: methods }, (_, i) => scored(`m${i}`, scores, { details }));
    return conceptTables(placesOf([{ tables: buildTables(results) }]), results);
  };
  const shown = ({ tables: [table] }: ReturnType<typeof many>) =>
    table!.methods.map(({ used, scores }) => [used[7]!.by, used[7]!.examples?.length ?? 0, scores.length]);
  // 200 texts of 1,200 bytes for each example of a method.
  for (const [methods, most, cut] of [
    [1, 2, undefined],
    [2, 1, /^At most 1 of the texts/],
    [4, 0, /^None of the texts/],
  ] as const) {
    const found = many(methods);
    assert.equal(shown(found), new Array(methods).fill(['latent 3', most, 200]));
    if (cut) assert.match(found.cut!, cut);
    else assert.is(found.cut, undefined);
  }
});

test('no text of a concept ends the script that holds it', async () => {
  const name = '</script><!--';
  const { html } = await renderTexts([scored('a', { [name]: 0.2, y: 0.8 }), scored('b', { [name]: 0.3, y: 0.1 })]);
  const [, json] = /<script type="application\/json" id="concept-data">([\s\S]*?)<\/script>/.exec(html)!;
  assert.is(JSON.parse(json!)[0].concepts[0].id, name);
  assert.not.match(json!, /</);
});

test.run();
