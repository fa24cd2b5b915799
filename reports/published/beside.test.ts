/** @file Our rows beside published ones: which row stands for which method, win rates by hand, and when there is a section. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../../harness/schema/result.generated.ts';
import { renderTexts } from '../index.ts';
import { metric, realResult, resultWith } from '../testing/results.ts';
import { AXBENCH } from './axbench.ts';
import { besidePublished } from './beside.ts';

const test = suite('reports/published');
const { dataset, task } = realResult('pca', 'concept-detection');

interface Given {
  id: string;
  kind?: 'sae' | 'baseline';
  selection?: string;
  scores: Record<string, number>;
  task?: string;
  metric?: string;
  seed?: number;
  control?: boolean;
  judge?: string;
}

/** A result on the dataset of AxBench: one row with its scores by concept. */
function result({
  id,
  kind = 'baseline',
  selection = 'detector',
  scores,
  seed = 0,
  judge,
  control,
  ...more
}: Given): Result {
  const name = more.metric ?? 'overall';
  const values = Object.values(scores);
  const value = values.reduce((sum, score) => sum + score, 0) / values.length;
  const made = resultWith(
    id,
    [
      {
        axes: { selection, ...(judge ? { judge } : {}) },
        metrics: { [name]: metric(value, null, { main: true, n: values.length }) },
        samples: { unit: 'concept', ids: Object.keys(scores), values },
        ...(control ? { control } : {}),
      },
    ],
    { kind, seed, dataset: { ...dataset, id: 'axbench' } },
  );
  const own = { ...task, id: more.task ?? 'steering', metrics: made.task.metrics };
  return { ...made, task: judge ? { ...own, judge: { id: 'dataset', version: 1, options: {} } } : own };
}

const STEERING = [
  result({ id: 'prompt', selection: 'asked', scores: { a: 2, b: 1, c: 0, d: 0 } }),
  result({ id: 'topk', kind: 'sae', selection: 'auroc', scores: { a: 1, b: 1, c: 0, d: 1 } }),
  result({ id: 'diffmean', scores: { a: 0, b: 1, c: 1, d: 2 } }),
  result({ id: 'mine', scores: { a: 0, b: 0, c: 0, e: 9 } }),
  result({ id: 'lucky', scores: { a: 2, b: 2, c: 2, d: 2 }, control: true }),
];
const cellsOf = (tables: ReturnType<typeof besidePublished>, title: RegExp) => {
  const found = tables[0]!.tables.find((table) => title.test(table.title))!;
  return Object.fromEntries(found.rows.map(({ name, ours, cells }) => [ours || name, [name, ...cells]]));
};

test('methods by their published names, with their scores; a control is no method; what we lack is a dash', () => {
  const cells = cellsOf(besidePublished(STEERING), /mean overall/);
  assert.equal(cells['prompt'], ['Prompt', '0.750']);
  assert.equal(cells['topk (auroc)'], ['SAE-A', '0.750']);
  assert.equal(cells['diffmean'], ['DiffMean', '1']);
  assert.equal(cells['mine'], ['', '2.250']);
  assert.equal(cells['LoReFT'], ['LoReFT', '–']);
  assert.is(cells['lucky'], undefined);
});

test('win rates by hand, over the concepts that both have, ties half', () => {
  const sections = besidePublished(STEERING);
  const against = cellsOf(sections, /against the SAE/);
  // a won, b tied, c tied, d lost; a lost, b tied, c won, d won; a lost, b lost, c tied.
  const first = (name: string) => against[name]![1]!.split(' ')[0];
  assert.equal(
    [first('prompt'), first('diffmean'), first('mine'), first('topk (auroc)')],
    ['0.500', '0.625', '0.167', '0.500'],
  );
  assert.is(against['diffmean']![1], '0.625 [0, 1]†');
  assert.match(
    sections[0]!.tables.find(({ title }) => /against the SAE/.test(title))!.columns[0]!,
    /against topk \(auroc\)$/,
  );
  const prompting = cellsOf(sections, /against prompting/);
  assert.is(prompting['topk (auroc)']![1]!.split(' ')[0], '0.500');
  // Without prompting there is nothing to be against.
  const without = besidePublished(STEERING.slice(1));
  assert.is(
    without[0]!.tables.find(({ title }) => /against prompting/.test(title)),
    undefined,
  );
});

test('a label-matched SAE goes before the one by AUROC; several judges: the first; seeds are averaged before they are compared', () => {
  const label = result({ id: 'topk', kind: 'sae', selection: 'label', scores: { a: 0, b: 0, c: 0, d: 0 } });
  const sections = besidePublished([...STEERING, label]);
  const table = sections[0]!.tables.find(({ title }) => /against the SAE/.test(title))!;
  assert.match(table.columns[0]!, /against topk \(label\)$/);
  const judged = besidePublished([
    result({ id: 'prompt', judge: 'dataset', scores: { a: 1 } }),
    result({ id: 'prompt', judge: 'openai', scores: { a: 2 } }),
  ]);
  assert.is(cellsOf(judged, /mean overall/)['prompt']![1]!.split(' ')[0], '1');
  // By seeds prompting wins one and loses one; on average it is 1.5 against 1.
  const seeds = besidePublished([
    result({ id: 'prompt', scores: { a: 3 }, seed: 0 }),
    result({ id: 'prompt', scores: { a: 0 }, seed: 1 }),
    result({ id: 'topk', kind: 'sae', selection: 'auroc', scores: { a: 1 }, seed: 0 }),
    result({ id: 'topk', kind: 'sae', selection: 'auroc', scores: { a: 1 }, seed: 1 }),
  ]);
  assert.is(cellsOf(seeds, /against the SAE/)['prompt']![1]!.split(' ')[0], '1');
});

test('a selection without a value is no line, and nothing is compared with it', () => {
  const empty = result({ id: 'topk', kind: 'sae', selection: 'label', scores: { a: 1 } });
  const [row] = empty.rows;
  const metrics = { overall: { value: null, ci95: null, n: 0, reason: 'nobody says what its latents stand for' } };
  const unlabelled = { ...empty, rows: [{ axes: row!.axes, metrics }] };
  const sections = besidePublished([...STEERING, unlabelled]);
  assert.is(cellsOf(sections, /mean overall/)['topk (label)'], undefined);
  const table = sections[0]!.tables.find(({ title }) => /against the SAE/.test(title))!;
  assert.match(table.columns.join(), /against topk \(auroc\)$/);
});

test('only of its own dataset, and of the tables that a run has rows for', () => {
  assert.equal(besidePublished(STEERING.map((each) => ({ ...each, dataset }))), []);
  const detection = result({ id: 'bow', task: 'concept-detection', metric: 'auroc', scores: { a: 0.9 } });
  const [section] = besidePublished([detection]);
  assert.equal(
    section!.tables.map(({ title }) => title),
    ['Concept detection, mean AUROC'],
  );
});

test('the published numbers: five columns each, the last the mean of the others, every method known', () => {
  for (const { rows } of AXBENCH.tables) {
    for (const [name, values] of Object.entries(rows)) {
      assert.ok(name in AXBENCH.ours, name);
      assert.is(values.length, AXBENCH.columns.length);
      const known = values.slice(0, 4).filter((value) => value !== null);
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      assert.ok(Math.abs(mean - values[4]!) < 0.0016, `${name}: ${mean}, not ${values[4]}`);
    }
  }
});

test('both reports show it, marked as published, with the replication that failed', async () => {
  const { leaderboard, html } = await renderTexts(STEERING);
  for (const text of [leaderboard, html]) {
    assert.match(text, /AxBench('|&#x27;)s own form/);
    assert.match(text, /Published \(not measured here\)/);
    assert.match(text, /published: 2B L10/);
    assert.match(text, /issue 149/);
  }
  assert.match(leaderboard, /\| Prompt \| prompt \| 0\.750 \| 0\.698 \| 0\.731 \| 1\.075 \| 1\.072 \| 0\.894 \|/);
  const plain = await renderTexts(STEERING.map((each) => ({ ...each, dataset })));
  assert.not.match(plain.leaderboard, /own form/);
});

test.run();
