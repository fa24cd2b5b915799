/** @file What plug-ins from outside return: everything faulty is blamed on their file in one line, and the rest goes on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dataset } from './contract.ts';
import { UserError } from './errors.ts';
import { exitCodeOf } from './execute.ts';
import { pluginFault } from './plugin-fault.ts';
import { loadPlugin } from './plugins.ts';
import { openRegistry, type Registry } from './registry.ts';
import { toyRegistry, toySuite } from './testing/toy.ts';
import { runToy } from './testing/toy-run.ts';

const test = suite('results of plug-ins');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-faulty-'));
test.after(() => rmSync(folder, { recursive: true }));

/** Source of a baseline of 3 latents on 4 inputs; `parts` take the place of its own, `fit` is a function body. */
const baseline = (id: string, parts: string, fit = 'return { tensors: {} };') => `
import { defineBaseline, tf } from 'saxbench';
const topk = (n, k, index, d_sae = 3) =>
  ({ kind: 'topk', d_sae, values: tf.ones([n, k]), indices: tf.fill([n, k], index, 'int32') });
export default defineBaseline({ id: '${id}', title: 'T', version: 1, options: {}, needs: 'activations', seeded: false,
  fit: async () => { ${fit} },
  restore: (state, { d_in }) => ({ d_in, d_sae: 3, sparse: false, dispose() {},
    encode: (x) => ({ kind: 'dense', values: tf.ones([x.shape[0], 3]) }),
    decode: (codes) => tf.ones([codes.values.shape[0], 4]),
    directions: () => Float32Array.from({ length: 12 }, (_, i) => (i % 4 === 0 ? 1 : 0)),
    detector: () => ({ score: (x) => tf.ones([x.shape[0]]), direction: Float32Array.of(1, 0, 0, 0) }),
    ${parts} }) });`;

/** A small dense SAE of 8 latents; `parts` take the place of its own. */
const sae = (id: string, parts: string) => `
import { defineSae, tf } from 'saxbench';
export default defineSae({ id: '${id}', title: 'T', version: 1, hyperparameters: {},
  init: ({ d_in, d_sae }) => ({ params: { W: tf.fill([d_in, d_sae], 0.1) } }),
  encode: ({ W }, x) => ({ kind: 'dense', values: tf.relu(tf.matMul(x, W)) }),
  decode: ({ W }, { values }) => tf.matMul(values, W, false, true),
  loss({ W }, { x, target }) {
    const values = tf.relu(tf.matMul(x, W));
    const reconstruction = tf.matMul(values, W, false, true);
    return { total: tf.mean(tf.squaredDifference(reconstruction, target)), parts: {}, codes: { kind: 'dense', values }, reconstruction };
  },
  directions: ({ W }) => tf.transpose(W),
  ${parts} });`;

/** Uses all that a method offers, as tasks do; `value` is what its metric gives. */
const task = (id: string, outcome: string) => `
import { defineTask, tf } from 'saxbench';
export default defineTask({ id: '${id}', title: 'T', version: 1, options: {}, axes: {}, seeded: false,
  metrics: { value: { description: 'V.', direction: 'max', range: [0, 1], unit: '', main: true } },
  async run({ method, train }) {
    const x = tf.tensor2d(await train.read(0, 5), [5, train.d_in]);
    const codes = method.encode?.(x);
    if (codes) method.decode?.(codes);
    method.directions?.();
    const detector = method.detector?.({ id: 'letter', label: 'letters' });
    detector?.score?.(x);
    detector?.scoreItem?.({ id: 'first', text: 'a' });
    const row = { axes: {}, metrics: { value: { value: 0.5, ci95: null, n: 3 } } };
    ${outcome}
  } });`;

async function load(registry: Registry, id: string, source: string): Promise<string> {
  const file = join(folder, `${id}.mjs`);
  writeFileSync(file, source);
  await loadPlugin(file, registry);
  return file;
}

/** Wrong parts of a method, and what is said after the name of its file. */
const METHODS: readonly [source: (id: string) => string, line: string][] = [
  [
    (id) => baseline(id, 'encode: (x) => ({ kind: "dense", values: tf.ones([x.shape[0], 2]) }),'),
    'encode: values: expected a float32 tensor [5, 3]; found a float32 tensor [5, 2]',
  ],
  [
    (id) => baseline(id, 'encode: (x) => ({ kind: "dense", values: tf.ones([1, 3]) }),'),
    'encode: values: expected a float32 tensor [5, 3]; found a float32 tensor [1, 3]',
  ],
  [
    (id) => baseline(id, 'encode: (x) => tf.ones([x.shape[0], 3]),'),
    "encode: expected codes of kind 'dense' or 'topk'; found a float32 tensor [5, 3]",
  ],
  [
    (id) => baseline(id, 'encode: async (x) => ({}),'),
    "encode: expected codes of kind 'dense' or 'topk'; found a promise",
  ],
  [
    (id) => baseline(id, 'encode: (x) => ({ kind: "dense", values: tf.fill([x.shape[0], 3], NaN) }),'),
    'encode: values: expected finite numbers; found NaN at place 0',
  ],
  [
    (id) => baseline(id, 'encode: (x) => topk(x.shape[0], 2, 3),'),
    'encode: indices: expected latents from 0 to 2; found 3 in row 0',
  ],
  [
    (id) => baseline(id, 'encode: (x) => topk(x.shape[0], 1, -1),'),
    'encode: indices: expected latents from 0 to 2; found -1 in row 0',
  ],
  [
    (id) => baseline(id, 'encode: (x) => ({ ...topk(x.shape[0], 1, 0), indices: tf.fill([x.shape[0], 1], 0.5) }),'),
    'encode: indices: expected a int32 tensor [5, 1]; found a float32 tensor [5, 1]',
  ],
  [(id) => baseline(id, 'encode: (x) => topk(x.shape[0], 1, 0, 7),'), 'encode: d_sae: expected 3; found 7'],
  [
    (id) => baseline(id, 'decode: (codes) => tf.ones([codes.values.shape[0], 5]),'),
    'decode: expected a float32 tensor [5, 4]; found a float32 tensor [5, 5]',
  ],
  [(id) => baseline(id, 'decode: () => undefined,'), 'decode: expected a float32 tensor [5, 4]; found nothing'],
  [
    (id) => baseline(id, 'directions: () => new Float32Array(8),'),
    'directions: expected Float32Array of 12: 3 × 4; found Float32Array of 8',
  ],
  [
    (id) => baseline(id, 'directions: () => new Float32Array(12).fill(2),'),
    'directions: expected rows of length 1; found row 0 of length 4.000',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ score: () => tf.ones([3]) }),'),
    'detector.score: expected a float32 tensor [5]; found a float32 tensor [3]',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ score: (x) => ["high", "low"] }),'),
    'detector.score: expected a float32 tensor [5]; found a list of 2: ["high","low"]',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ score: (x) => tf.fill([x.shape[0]], NaN) }),'),
    'detector.score: expected finite numbers; found NaN at place 0',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ scoreItem: () => "much" }),'),
    'detector.scoreItem of \'first\': expected a finite number; found "much"',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ direction: new Float32Array(3) }),'),
    'detector.direction: expected Float32Array of 4: 1 × 4; found Float32Array of 3',
  ],
  [(id) => baseline(id, 'd_sae: undefined,'), 'restore: d_sae: expected a number of latents; found nothing'],
  [(id) => baseline(id, 'd_in: 5,'), 'restore: d_in: expected 4; found 5'],
  [(id) => baseline(id, 'dispose: 1,'), 'restore: dispose: expected a function; found 1'],
  [(id) => baseline(id, '', 'return undefined;'), 'fit: expected { tensors, json }; found nothing'],
  [
    (id) => baseline(id, '', 'return { tensors: { w: { shape: [2], data: Float32Array.of(1) } } };'),
    'fit: tensors.w: expected 2 values, as its shape [2] has; found 1',
  ],
  [
    (id) => baseline(id, '', 'return { tensors: { w: { shape: [1], data: [1] } } };'),
    'fit: tensors.w.data: expected Float32Array; found a list of 1: [1]',
  ],
  [
    (id) => baseline(id, '', 'return { tensors: { w: { shape: [1], data: Float32Array.of(NaN) } } };'),
    'fit: tensors.w: expected finite numbers; found NaN at place 0',
  ],
  [(id) => baseline(id, '', 'throw "a text";'), 'fit: threw "a text"; expected an Error'],
  [(id) => baseline(id, '', 'throw undefined;'), 'fit: threw nothing; expected an Error'],
  [(id) => baseline(id, 'encode: () => { throw null; },'), 'encode: threw null; expected an Error'],
  [(id) => baseline(id, '', 'throw new RangeError("one\\n  two\\n");'), 'RangeError: one two'],
  [
    (id) => sae(id, 'encode: ({ W }, x) => ({ kind: "dense", values: x }),'),
    'encode: values: expected a float32 tensor [10, 8]; found a float32 tensor [10, 4]',
  ],
  [
    (id) => sae(id, 'decode: (_, { values }) => values,'),
    'decode: expected a float32 tensor [10, 4]; found a float32 tensor [10, 8]',
  ],
  [(id) => sae(id, 'init: () => ({}),'), 'init: params: expected tensors by name; found nothing'],
  [
    (id) => sae(id, 'init: ({ d_in, d_sae }) => ({ params: { W: tf.fill([d_in, d_sae], Infinity) } }),'),
    'init: params.W: expected finite numbers; found Infinity at place 0',
  ],
  [(id) => sae(id, 'loss: () => tf.scalar(1),'), 'loss: total: expected a float32 tensor []; found nothing'],
  [(id) => sae(id, 'afterStep: () => ({ V: tf.scalar(1) }),'), "afterStep: expected names among W; found 'V'"],
  [
    (id) => sae(id, 'directions: ({ W }) => W,'),
    'directions: expected a float32 tensor [8, 4]; found a float32 tensor [4, 8]',
  ],
  [(id) => sae(id, 'toSaeLens: () => "cfg",'), 'toSaeLens: expected architecture, cfg and tensors; found "cfg"'],
];

test(`${METHODS.length} faulty methods: each is blamed in one line and stays in the tables, the good one is scored`, async () => {
  const registry = toyRegistry();
  const files: string[] = [];
  for (const [i, [source]] of METHODS.entries()) files.push(await load(registry, `bad-${i}`, source(`bad-${i}`)));
  await load(registry, 'good', baseline('good', ''));
  await load(registry, 'good-sae', sae('good-sae', ''));
  await load(registry, 'uses-all', task('uses-all', 'return { rows: [row] };'));
  const isSae = (i: number) => METHODS[i]![0]('x').includes('defineSae');
  const training = { tokens: 64, batchSize: 32 };
  const own = { options: { d_sae: 8 }, training };
  const { summary } = await runToy(
    join(folder, 'methods'),
    {
      methods: [
        ...METHODS.map((_, i) => ({ id: `bad-${i}`, ...(isSae(i) ? own : {}) })),
        { id: 'good' },
        { id: 'good-sae', ...own },
      ],
      tasks: [{ id: 'uses-all' }],
      seeds: [0],
    },
    undefined,
    { registry },
  );
  assert.equal(
    summary.results.map(({ method }) => method.name),
    ['good', 'good-sae'],
  );
  const failed = new Map(summary.failed.map(({ method, failed }) => [method.name, failed!]));
  assert.is(failed.size, METHODS.length);
  for (const [i, [, line]] of METHODS.entries()) {
    const [place, ...rest] = [`plug-in ${files[i]}`, `${line}. Mend it there; the same command goes on from here.`];
    // Of a batch of other rows the number of rows is another.
    const said = failed
      .get(`bad-${i}`)!
      .replace(/\.mjs:\d+: /, '.mjs: ')
      .replaceAll(/tensor \[\d{2,}, /g, 'tensor [10, ');
    assert.is(said, `${place}: ${rest.join('')}`, `method ${i}`);
  }
  assert.is(exitCodeOf(summary.failures), 2);
});

const TASKS: readonly [outcome: string, line: string][] = [
  ['return undefined;', 'run: expected { rows }; found nothing'],
  ['return { rows: [] };', 'run: rows: expected one row or more; found a list of 0: []'],
  ['return { rows: [{}] };', 'run: rows[0].axes: expected texts by name; found nothing'],
  ['return { rows: [{ ...row, axes: { a: 1 } }] };', 'run: rows[0].axes: expected texts by name; found {"a":1}'],
  [
    'row.metrics.value.value = "0.5"; return { rows: [row] };',
    'run: rows[0].metrics.value.value: expected a number or null; found "0.5"',
  ],
  [
    'row.metrics.value.value = NaN; return { rows: [row] };',
    "row 0 ({}): metric 'value': expected a finite number; found NaN",
  ],
  [
    'row.metrics.value.value = 1.5; return { rows: [row] };',
    "row 0 ({}): metric 'value': expected a value in [0, 1]; found 1.5",
  ],
  [
    'row.metrics.other = row.metrics.value; return { rows: [row] };',
    "row 0 ({}): metric 'other': not declared; the task declares value",
  ],
  [
    'row.metrics.value.ci95 = [0]; return { rows: [row] };',
    'run: rows[0].metrics.value.ci95: expected [low, high] or null; found a list of 1: [0]',
  ],
  [
    'return { rows: [row], curves: { roc: { x: [1, 2], y: [1] } } };',
    'run: curves.roc: expected lists x and y of one length; found {"x":[1,2],"y":[1]}',
  ],
  ['throw "late";', 'run: threw "late"; expected an Error'],
];

test(`${TASKS.length} faulty tasks`, async () => {
  const registry = toyRegistry();
  const files: string[] = [];
  for (const [i, [outcome]] of TASKS.entries())
    files.push(await load(registry, `task-${i}`, task(`task-${i}`, outcome)));
  await load(registry, 'fine', task('fine', 'return { rows: [row] };'));
  const tasks = [...TASKS.keys()].map((i) => ({ id: `task-${i}` }));
  const { summary } = await runToy(
    join(folder, 'tasks'),
    { methods: [{ id: 'toy-null' }], tasks: [...tasks, { id: 'fine' }], seeds: [0] },
    undefined,
    { registry },
  );
  assert.equal(
    summary.results.map(({ task }) => task.id),
    ['fine'],
  );
  const failed = new Map(summary.failed.map(({ task, failed }) => [task.id, failed!]));
  for (const [i, [, line]] of TASKS.entries()) {
    const said = failed.get(`task-${i}`)!.replace(`task task-${i} on toy-null: `, '');
    assert.is(said, `plug-in ${files[i]}: ${line}. Mend it there; the same command goes on from here.`, `task ${i}`);
  }
  assert.is(exitCodeOf(summary.failures), 2);
});

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
  const { items } = await opened.concepts!({});
  await opened.prompts?.(1);
  await opened.embed?.(items);
  opened.judge?.concept('a', { id: 'a', label: 'A' });
  opened.zeroShot?.[0]?.classOf(items[0]!);
};

const DATASETS: readonly [parts: string, line: string][] = [
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
    const file = await load(registry, `data-${i}`, dataset(`data-${i}`, parts));
    const { open } = await registry.get('dataset', `data-${i}`);
    let said = 'it passed';
    try {
      await useAll(await open({}, { seed: 0, baseDir: folder }));
    } catch (error) {
      said = pluginFault(error)?.message ?? String(error);
    }
    assert.is(said, `plug-in ${file}: ${line}. Mend it there; the same command goes on from here.`, `dataset ${i}`);
  }
  const file = await load(registry, 'data', dataset('data', ''));
  assert.is((await registry.get('dataset', 'data')).source, file);
  await useAll(await (await registry.get('dataset', 'data')).open({}, { seed: 0, baseDir: folder }));
});

test('a dataset that fails while a run goes on: one line for all that needs it, exit code 2', async () => {
  const registry = toyRegistry();
  await load(registry, 'broken-data', dataset('broken-data', 'corpus: async () => [{ id: "a" }],'));
  const { subjects } = toySuite(join(folder, 'data-run'));
  const own = subjects.map((subject) => ({ ...subject, dataset: { id: 'broken-data' } }));
  const { summary } = await runToy(join(folder, 'data-run'), { subjects: own, seeds: [0] }, undefined, { registry });
  assert.is(summary.results.length, 0);
  for (const { failed } of summary.failed)
    assert.match(failed!, /plug-in .*broken-data\.mjs: corpus\[0\]\.text: expected a text; found nothing\./);
  assert.is(exitCodeOf(summary.failures), 2);
});

const EXPORTS: readonly [source: string, line: RegExp][] = [
  ['export const sae = {};', /expected a default export made by defineSae, .*; found nothing\.$/],
  ['export default null;', /expected a default export made by .*; found \S+\.$/],
  [
    'export default { kind: "sae", id: "exports", title: "T", version: 1 };',
    /expected a function 'init'; found nothing\.$/,
  ],
  [
    'export default { kind: "task", id: "exports", title: "T", version: 1, run() {}, options: {} };',
    /expected 'metrics': a definition for each metric; found nothing\.$/,
  ],
  [
    'export default { kind: "task", id: "exports", title: "T", version: 1, run() {}, options: {}, metrics: { a: null } };',
    /expected metric 'a': a definition; found null\.$/,
  ],
  [
    'export default { kind: "baseline", id: "exports", title: "T", version: 1, fit() {}, restore() {}, options: {}, needs: "all" };',
    /expected 'needs': one of nothing, .*; found 'all'\.$/,
  ],
  [
    'export default { kind: "dataset", id: "exports", title: "T", version: 1, open() {}, options: {} };',
    /expected 'modality': one of text, image; found nothing\.$/,
  ],
  ['throw "early";', /it does not load: it threw "early"\.?$/],
  ['throw undefined;', /it does not load: it threw nothing\.?$/],
];

test(`${EXPORTS.length} files that are no plug-in`, async () => {
  for (const [i, [source, line]] of EXPORTS.entries()) {
    // A module is loaded once a process: each has a name of its own.
    const own = join(folder, `e${i}`, 'exports.mjs');
    mkdirSync(join(folder, `e${i}`));
    writeFileSync(own, source);
    try {
      await loadPlugin(own, openRegistry());
      assert.unreachable(source);
    } catch (error) {
      assert.instance(error, UserError, source);
      assert.ok((error as Error).message.startsWith(`plug-in ${own}: `));
      assert.match((error as Error).message, line);
    }
  }
});

test.run();
