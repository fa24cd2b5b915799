/** @file Faulty datasets: each is blamed on its file in one line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dataset } from '../contract.ts';
import { exitCodeOf } from '../execute.ts';
import { pluginFault } from '../plugin-fault.ts';
import { openRegistry } from '../registry.ts';
import { toyRegistry, toySuite } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import { blamed, writePlugin } from '../testing/written-plugins.ts';

const test = suite('faulty datasets');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-faulty-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A dataset of letters; `parts` take the place of its own. */
const dataset = (id: string, parts: string) => `
import { defineDataset } from 'saxbench';
const items = (from, n) => Array.from({ length: n }, (_, i) => ({ id: String(from + i), text: 'abc' }));
const concept = { id: 'a', label: 'A' };
export default defineDataset({ id: '${id}', title: 'T', version: 1, modality: 'text', options: {},
  open: async () => ({ id: '${id}', modality: 'text', fingerprint: 'f',
    corpus: async (split, n) => items(split === 'train' ? 0 : 100, n),
    concepts: async () => ({ concepts: [concept], items: items(200, 2), examples: [{ concept: 0, item: 0, split: 'train', role: 'positive' }] }),
    ${parts} }) });`;

const useAll = async (opened: Dataset) => {
  await opened.corpus('train', 3);
  await opened.corpus('test', 3);
  const set = await opened.concepts!({});
  const { items } = set;
  opened.pairing?.partners?.(set, 0);
  await opened.prompts?.(1);
  await opened.attributePairs?.(1);
  await opened.embed?.(items);
  opened.judge?.concept('a', { id: 'a', label: 'A' });
  opened.zeroShot?.[0]?.classOf(items[0]!);
};

const DATASETS: readonly [parts: string, line: string][] = [
  ['attributePairs: 1,', 'attributePairs: expected a function; found 1'],
  ['attributePairs: async () => ({}),', 'attributePairs: expected a list; found {}'],
  ['attributePairs: async () => [1],', 'attributePairs[0]: expected { attribute, before, after }; found 1'],
  [
    'attributePairs: async () => [{ attribute: "a", before: items(300, 1)[0] }],',
    'attributePairs[0]: before, after[1]: expected an object; found nothing',
  ],
  [
    'attributePairs: async () => [{ attribute: "a", before: items(300, 1)[0], after: items(301, 1)[0] }],',
    'attributePairs[0]: labels of 300: expected { attribute: value }; found nothing',
  ],
  ['corpus: undefined,', 'open: corpus: expected a function; found nothing'],
  ['fingerprint: 1,', 'open: fingerprint: expected a hash of the content; found 1'],
  ['modality: "image",', 'open: modality: expected \'text\'; found "image"'],
  ['corpus: async () => "abc",', 'corpus: expected a list; found "abc"'],
  [
    'corpus: async () => [{ id: "a", text: "x" }, { id: "a", text: "y" }],',
    'corpus[1].id: expected one of its own; found "a" twice',
  ],
  ['corpus: async () => [{ id: "a" }],', 'corpus[0].text: expected a text; found nothing'],
  ['corpus: async () => [{ id: "a", text: 5 }],', 'corpus[0].text: expected a text; found 5'],
  ['corpus: async () => [{ text: "a" }],', 'corpus[0].id: expected a text; found nothing'],
  ['corpus: async () => [null],', 'corpus[0]: expected an object; found null'],
  ['corpus: async (_, n) => items(0, n),', 'corpus: expected splits without an item in common; found "0" in both'],
  ['corpus: async () => { throw 7; },', 'corpus: threw 7; expected an Error'],
  [
    'concepts: async () => ({ concepts: [concept, concept], items: [], examples: [] }),',
    'concepts: concepts[1].id: expected one of its own; found "a" twice',
  ],
  [
    'concepts: async () => ({ concepts: [{ id: "a" }], items: [], examples: [] }),',
    'concepts: concepts[0].label: expected a text; found nothing',
  ],
  [
    'concepts: async () => ({ concepts: [concept], items: items(0, 1), examples: [{ concept: 0, item: 1, split: "train", role: "positive" }] }),',
    'concepts: examples[0].item: expected an index below 1; found 1',
  ],
  [
    'concepts: async () => ({ concepts: [concept], items: items(0, 1), examples: ["train", "eval"].map((split) => ({ concept: 0, item: 0, split, role: "positive" })) }),',
    'concepts: examples[1]: expected each item in one split of a concept; found item 0 in both of concept 0',
  ],
  [
    'concepts: async () => ({ concepts: [concept], items: items(0, 1), examples: [{ concept: 0, item: 0, split: "train", role: "yes" }] }),',
    'concepts: examples[0].role: expected positive, negative, hard-negative; found "yes"',
  ],
  ['prompts: async () => [{ id: "p" }],', 'prompts[0].text: expected a text; found nothing'],
  [
    'judge: { description: "d", concept: () => NaN, instruction: () => 1 },',
    'judge.concept: expected a score of 0, 1 or 2; found NaN',
  ],
  [
    'judge: { description: "d", concept: () => 3, instruction: () => 1 },',
    'judge.concept: expected a score of 0, 1 or 2; found 3',
  ],
  ['pairing: { partners: () => [] },', 'pairing: expected { description, partners? }; found {"partners":() => []}'],
  [
    'pairing: { description: "d", partners: () => [9] },',
    'pairing.partners: expected a list of indices below 2; found a list of 1: [9]',
  ],
  [
    'pairing: { description: "d", partners: () => [0] },',
    'pairing.partners: expected no training item and no positive of the concept; found a list of 1: [0]',
  ],
  [
    'embed: async () => ({ data: new Float32Array(3), dim: 2, description: "d" }),',
    'embed: expected { data, dim, description } with 2 × dim numbers; found {"data":{"0":0,"1":0,"2":0},"dim":2,"description":"d"}',
  ],
  [
    'zeroShot: [{ id: "z", classes: [{ label: "l", prompts: ["p"] }], classOf: () => 1 }],',
    'zeroShot[0].classOf: expected an index below 1 or undefined; found 1',
  ],
];

test(`${DATASETS.length} faulty datasets`, async () => {
  const registry = openRegistry();
  for (const [i, [parts, line]] of DATASETS.entries()) {
    const file = await writePlugin(folder, registry, `data-${i}`, dataset(`data-${i}`, parts));
    const { open } = await registry.get('dataset', `data-${i}`);
    let said = 'it passed';
    try {
      await useAll(await open({}, { seed: 0, baseDir: folder }));
    } catch (error) {
      said = pluginFault(error)?.message ?? String(error);
    }
    assert.is(said, blamed(file, line), `dataset ${i}`);
  }
  const file = await writePlugin(folder, registry, 'data', dataset('data', ''));
  assert.is((await registry.get('dataset', 'data')).source, file);
  await useAll(await (await registry.get('dataset', 'data')).open({}, { seed: 0, baseDir: folder }));
});

/** A dataset of vectors; `parts` take the place of its own. */
const vectors = (id: string, parts: string) => `
import { defineDataset } from 'saxbench';
const site = { name: 'v', d: 4, modality: 'vectors', kind: 'pooled' };
export default defineDataset({ id: '${id}', title: 'T', version: 1, modality: 'vectors', options: {},
  open: async () => ({ id: '${id}', modality: 'vectors', fingerprint: 'f',
    corpus: async (split, n) => Array.from({ length: n }, (_, i) => ({ id: split + i })),
    activations: { site, rows: async (items) => new Float32Array(4 * items.length) },
    ${parts} }) });`;

test('faulty vectors: one line each', async () => {
  const registry = openRegistry();
  const cases: readonly [parts: string, line: string][] = [
    [
      'activations: { site: { ...site, input: [2, 3] }, rows: () => {} },',
      'open: activations.site.input: expected whole numbers whose product is 4; found a list of 2: [2,3]',
    ],
    [
      'activations: { site: { ...site, input: "2x2" }, rows: () => {} },',
      'open: activations.site.input: expected whole numbers whose product is 4; found "2x2"',
    ],
    [
      'activations: { site, rows: () => {}, grids: { points: [2], rows: () => {} } },',
      'open: activations.grids: expected { points, rows } of functions [C, N]; found {"points":[2],"rows":() => {}}',
    ],
    [
      'activations: { site: { ...site, input: [1, 4] }, rows: () => {}, grids: { points: [2.5], rows: () => {} } },',
      'open: activations.grids.points: expected a list of numbers of points; found a list of 1: [2.5]',
    ],
    [
      'activations: { site: { ...site, input: [1, 4] }, rows: () => {}, grids: { points: [2], rows: async () => new Float32Array(3) } },',
      'activations.grids.rows: expected Float32Array of 2; found Float32Array of 3',
    ],
    ['manifolds: { list: [] },', 'open: manifolds: expected { list of { name, dimension }, of }; found {"list":[]}'],
    [
      'manifolds: { list: [{ name: "a", dimension: 1 }], of: () => 1 },',
      'manifolds.of: expected an index below 1; found 1',
    ],
  ];
  for (const [i, [parts, line]] of cases.entries()) {
    const file = await writePlugin(folder, registry, `vectors-${i}`, vectors(`vectors-${i}`, parts));
    const { open } = await registry.get('dataset', `vectors-${i}`);
    let said = 'it passed';
    try {
      const opened = await open({}, { seed: 0, baseDir: folder });
      const items = await opened.corpus('test', 1);
      await opened.activations!.grids?.rows(items, 2);
      opened.manifolds?.of(items[0]!);
    } catch (error) {
      said = pluginFault(error)?.message ?? String(error);
    }
    assert.is(said, blamed(file, line), `dataset ${i}`);
  }
});

test('a dataset that fails while a run goes on: one line for all that needs it, exit code 2', async () => {
  const registry = toyRegistry();
  await writePlugin(folder, registry, 'broken-data', dataset('broken-data', 'corpus: async () => [{ id: "a" }],'));
  const { subjects } = toySuite(join(folder, 'data-run'));
  const own = subjects.map((subject) => ({ ...subject, dataset: { id: 'broken-data' } }));
  const { summary } = await runToy(join(folder, 'data-run'), { subjects: own, seeds: [0] }, undefined, { registry });
  assert.is(summary.results.length, 0);
  for (const { failed } of summary.failed)
    assert.match(failed!, /plug-in .*broken-data\.mjs: corpus\[0\]\.text: expected a text; found nothing\./);
  assert.is(exitCodeOf(summary.failures), 2);
});

test.run();
