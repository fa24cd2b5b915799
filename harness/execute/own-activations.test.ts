/** @file Datasets with activations and features of their own: run without a subject, and their faults told in one line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dataset } from '../contract.ts';
import { pluginFault } from '../plugin-fault.ts';
import { openRegistry } from '../registry.ts';
import type { SuiteSubject } from '../schema/suite.generated.ts';
import { checkSuite } from '../suite/check.ts';
import { toyRegistry, toySuite } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import { blamed, writePlugin } from '../testing/written-plugins.ts';

const test = suite('activations of a dataset');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-vectors-'));
test.after(() => rmSync(folder, { recursive: true }));

/** Rows [number, 1, 2] of items numbered on from 0 and from 100,000; `parts` take the place of its own. */
const source = (id: string, parts = '') => `
import { defineDataset } from 'saxbench';
const numbered = (from, n) => Array.from({ length: n }, (_, i) => ({ id: String(from + i) }));
const codes = (n) => ({ n, d_sae: 2, indptr: Uint32Array.from({ length: n + 1 }, (_, i) => i),
  indices: new Uint32Array(n), values: new Float32Array(n).fill(1) });
const truth = { features: 2, directions: async () => new Float32Array(6), of: ({ length }) => codes(length), parents: Int32Array.of(-1, 0) };
const site = { name: 'rows', d: 3, modality: 'vectors', kind: 'pooled' };
export default defineDataset({ id: '${id}', title: 'T', version: 1, modality: 'vectors', options: {},
  open: async () => ({ id: '${id}', modality: 'vectors', fingerprint: '${'f'.repeat(64)}',
    corpus: async (split, n) => numbered(split === 'train' ? 0 : 100000, n),
    activations: { site, rows: async (items) => Float32Array.from(items.flatMap(({ id }) => [Number(id), 1, 2])) },
    groundTruth: truth,
    ${parts} }) });`;

const subjectOf = (id: string, more: Partial<SuiteSubject> = {}): SuiteSubject => ({
  ...{ id: 'world', sites: ['rows'], dataset: { id }, activations: { train: 2500, test: 7 } },
  ...more,
});

test('collected into the store in the order of the items, and read by methods and tasks like any other', async () => {
  const registry = toyRegistry();
  await writePlugin(folder, registry, 'rows-data', source('rows-data'));
  const { summary, plan } = await runToy(
    join(folder, 'run'),
    { subjects: [subjectOf('rows-data')], seeds: [0] },
    undefined,
    { registry },
  );
  assert.equal(summary.failed, []);
  const [result] = summary.results;
  assert.equal(result!.subject, {
    ...{ id: 'world', fingerprint: 'f'.repeat(64), family: 'none', modality: 'vectors', parameters: null },
  });
  // Numbers 0 … 2499, 1 and 2 in the mean.
  assert.ok(Math.abs(result!.rows[0]!.metrics['value']!.value! - (1249.5 + 3) / 3) < 1e-3);
  assert.is(result!.dataset.trainRows, 2500);
  assert.is(result!.dataset.testRows, 7);
  assert.ok(plan.sites[0]!.activations.train !== plan.sites[0]!.activations.test);
  const again = await runToy(join(folder, 'run'), { subjects: [subjectOf('rows-data')], seeds: [0] }, undefined, {
    registry,
  });
  assert.equal(Object.values(again.summary.computed), [0, 0, 0, 0]);
});

const failing: readonly [parts: string, line: RegExp][] = [
  [
    'activations: undefined,',
    /open: activations: expected \{ site, rows \} with a pooled site of 'vectors'; found nothing/,
  ],
  ['activations: { site: { ...site, kind: "tokens" }, rows: async () => 1 },', /a pooled site of 'vectors'/],
  ['activations: { site, rows: async () => new Float32Array(4) },', /activations\.rows: expected Float32Array of 6/],
  ['activations: { site, rows: async (i) => new Float32Array(3 * i.length).fill(NaN) },', /activations\.rows.*NaN/],
  ['groundTruth: { ...truth, features: 0 },', /groundTruth\.features: expected a whole number; found 0/],
  ['groundTruth: { ...truth, parents: Int32Array.of(0, 0) },', /groundTruth\.parents: .*each a feature or −1/],
  ['groundTruth: { ...truth, directions: async () => new Float32Array(5) },', /groundTruth\.directions/],
  [
    'groundTruth: { ...truth, directions: async () => new Float32Array(12) },',
    /groundTruth\.directions: expected Float32Array \[2, 3\]/,
  ],
  [
    'groundTruth: { ...truth, of: () => ({ ...codes(2), indptr: Uint32Array.of(0, 1, 3) }) },',
    /groundTruth\.of: expected ascending features/,
  ],
  [
    'groundTruth: { ...truth, of: () => ({ ...codes(2), indptr: Uint32Array.of(0, 2, 2) }) },',
    /groundTruth\.of: expected ascending features/,
  ],
  ['groundTruth: { ...truth, of: () => codes(1) },', /groundTruth\.of: expected rows of 2 items over 2 features/],
];

const useAll = async ({ corpus, activations, groundTruth }: Dataset) => {
  const items = await corpus('train', 2);
  await activations!.rows(items);
  await groundTruth!.directions();
  groundTruth!.of(items);
};

test(`${failing.length} faulty ones are blamed on their file in one line`, async () => {
  const registry = openRegistry();
  for (const [i, [parts, line]] of failing.entries()) {
    const file = await writePlugin(folder, registry, `bad-${i}`, source(`bad-${i}`, parts));
    let said = 'it passed';
    try {
      await useAll(await (await registry.get('dataset', `bad-${i}`)).open({}, { seed: 0, baseDir: folder }));
    } catch (error) {
      said = pluginFault(error)?.message ?? String(error);
    }
    assert.match(said, line);
    assert.ok(said.startsWith(blamed(file, '').split(': .')[0]!), said);
  }
});

test('a subject beside it, another site, a method of texts: one clear line each', async () => {
  const registry = toyRegistry();
  await writePlugin(folder, registry, 'own-data', source('own-data'));
  const said = async (subject: SuiteSubject, more = {}) => {
    try {
      await checkSuite(toySuite(folder, { subjects: [subject], ...more }), folder, registry);
    } catch (error) {
      return (error as Error).message;
    }
    return 'it passed';
  };
  assert.is(await said(subjectOf('own-data')), 'it passed');
  assert.match(
    await said(subjectOf('own-data', { id: 'tiny-lm-planted' })),
    /dataset own-data has activations of its own: expected no subject, only an 'id' that names it in results; found the subject 'tiny-lm-planted'/,
  );
  assert.match(await said(subjectOf('own-data', { path: './model' })), /expected no subject.*found .*model/);
  assert.match(await said(subjectOf('own-data', { hub: 'a/b' })), /expected no subject.*found a\/b/);
  assert.match(await said(subjectOf('own-data', { sites: ['row'] })), /unknown site of world in suite .* 'row'/);
});

test.run();
