import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResultLatent } from '../../harness/schema/latents.generated.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { validate } from '../../harness/schema/validate.ts';
import { buildTables } from '../aggregate.ts';
import { renderTexts } from '../index.ts';
import { keptResult } from '../kept.ts';
import { placesOf } from '../overview/places.ts';
import { metric, resultWith } from '../testing/results.ts';
import { latentPlaces } from './latents.ts';

const test = suite('reports/html/latents');

const rows = [{ axes: { selection: 'auroc' }, metrics: { auroc: metric(0.9, null, { main: true }) } }];
const latent = (number: number, more: Partial<ResultLatent> = {}): ResultLatent => ({
  ...{ latent: number, sign: 1, why: 'concept', examples: [{ item: 'i', value: 1, pieces: ['a'] }] },
  ...more,
});
const showing = (name: string, latents: ResultLatent[], more: Partial<Result> = {}): Result =>
  resultWith(name, rows, { latents: { from: 'held-out items', rule: 'a rule', latents }, ...more });
const viewOf = (results: Result[]) => latentPlaces(placesOf([{ tables: buildTables(results) }]), results);

test('what two tasks show of a latent is one; scores come from where they are; the first seed is shown', () => {
  const concepts = [{ id: 'c', label: 'C', selection: 'auroc', auroc: 0.9 }];
  const first = showing('topk', [latent(2, { concepts }), latent(0)]);
  const other = showing('topk', [latent(1, { why: 'score', ms: 0.5 }), latent(2, { why: 'random', ms: 0.25 })], {
    task: { ...first.task, id: 'other' },
    details: { latents: { ms: [0.123456, 0.5, 0.25] } },
  });
  const { places, cut } = viewOf([showing('topk', [latent(9)], { seed: 1 }), first, other, resultWith('pca', rows)]);
  assert.is(cut, undefined);
  const [{ methods }] = places as [(typeof places)[number]];
  assert.equal(
    methods.map(({ name, seed }) => [name, seed]),
    [['topk', 0]],
  );
  assert.equal(
    methods[0]!.latents.map((each) => [each.latent, each.why, each.ms, each.concepts?.length]),
    [
      [2, 'concept', 0.25, 1],
      [1, 'score', 0.5, undefined],
      [0, 'concept', 0.1235, undefined],
    ],
  );
});

test('a page has as many latents of each method as it has room for, and says so', () => {
  const long = Array.from({ length: 80 }, (_, i) =>
    latent(i, { examples: [{ item: 'i', value: 1, pieces: ['x'.repeat(9000)] }] }),
  );
  const { places, cut } = viewOf([showing('a', long), showing('b', long)]);
  assert.match(cut!, /^At most 40 of each method .* up to 80/);
  assert.equal(
    places[0]!.methods.map(({ latents }) => latents.length),
    [40, 40],
  );
  assert.ok(JSON.stringify(places).length < 900_000);
});

test('latents have what the rest of the page leaves, by bytes, and some however large that is', () => {
  const results = ['a', 'b'].map((name) =>
    showing(
      name,
      Array.from({ length: 40 }, (_, i) =>
        latent(i, { examples: [{ item: 'i', value: 1, pieces: ['字'.repeat(3000)] }] }),
      ),
    ),
  );
  const places = placesOf([{ tables: buildTables(results) }]);
  const numberIn = (room?: number) => latentPlaces(places, results, room).places[0]!.methods[0]!.latents.length;
  // 9,000 bytes a latent of each of two methods.
  assert.equal([undefined, 1e9, 600_000, 0, -1].map(numberIn), [40, 40, 30, 20, 20]);
});

test('no text of an item ends the script that holds it; results are valid, and kept without them', async () => {
  const text = '</script><img src=x>';
  const result = showing('a', [
    latent(1, { label: text, examples: [{ item: text, value: 1, pieces: [text], grades: [9] }] }),
  ]);
  const { html } = await renderTexts([result]);
  const [, json] = /<script type="application\/json" id="latent-data">([\s\S]*?)<\/script>/.exec(html)!;
  assert.is(JSON.parse(json!)[0].methods[0].latents[0].label, text);
  assert.not.match(json!, /</);
  await validate('result', structuredClone(result), 'the result');
  assert.not.ok('latents' in keptResult(result));
  assert.not.match((await renderTexts([resultWith('a', rows)])).html, 'id="latent-data"');
});

test.run();
