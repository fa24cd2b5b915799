/** @file Faulty baselines and SAEs: each is blamed on its file in one line and stays in the tables, the rest goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BaselineDefinition, SaeDefinition } from '../contract.ts';
import { exitCodeOf } from '../execute.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';
import { blamed, taskSource, writePlugin } from '../testing/written-plugins.ts';
import { checkedBaseline } from './method.ts';
import { checkedSae } from './sae.ts';

const test = suite('faulty methods');
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
    (id) => baseline(id, 'detector: () => ({ scoreItems: async () => new Float32Array(2) }),'),
    'detector.scoreItems: expected Float32Array of 1, one an item; found Float32Array of 2',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ scoreItem: () => "much" }),'),
    'detector.scoreItem of \'first\': expected a finite number; found "much"',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ intervene: () => ({ interventions: [{ site: "a" }] }) }),'),
    'detector.intervene: interventions: expected a list of { site, apply }; found a list of 1: [{"site":"a"}]',
  ],
  [
    (id) =>
      baseline(id, 'detector: () => ({ intervene: () => ({ additions: [{ block: 0, layer: "z", apply() {} }] }) }),'),
    'detector.intervene: additions: expected a list of { block, layer, apply }, layer q, k, v, out, gate, up, down; found a list of 1: [{"block":0,"layer":"z","apply":apply() {}}]',
  ],
  [
    (id) => baseline(id, 'detector: () => ({ intervene: () => ({}) }),'),
    'detector.intervene: expected an intervention or an addition; found neither',
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
    (id) => sae(id, 'restart: ({ W }) => ({ params: { W }, forget: { W: tf.zeros([3]) } }),'),
    'restart: forget.W: expected a tensor that broadcasts to [4, 8]; found a float32 tensor [3]',
  ],
  [
    (id) => sae(id, 'restart: () => ({ params: {}, forget: { V: tf.zeros([8]) } }),'),
    "restart: forget: expected names among W; found 'V'",
  ],
  [
    (id) => sae(id, 'directions: ({ W }) => W,'),
    'directions: expected a float32 tensor [8, 4]; found a float32 tensor [4, 8]',
  ],
  [(id) => sae(id, 'toSaeLens: () => "cfg",'), 'toSaeLens: expected architecture, cfg and tensors; found "cfg"'],
];

test(`${METHODS.length} faulty methods: each is blamed in one line and stays in the tables, the good one is scored`, async () => {
  const registry = toyRegistry();
  const files: string[] = [];
  for (const [i, [source]] of METHODS.entries())
    files.push(await writePlugin(folder, registry, `bad-${i}`, source(`bad-${i}`)));
  await writePlugin(folder, registry, 'good', baseline('good', ''));
  await writePlugin(folder, registry, 'good-sae', sae('good-sae', ''));
  await writePlugin(folder, registry, 'uses-all', taskSource('uses-all', 'return { rows: [row] };'));
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
    // Of a batch of other rows the number of rows is another.
    const said = failed
      .get(`bad-${i}`)!
      .replace(/\.mjs:\d+: /, '.mjs: ')
      .replaceAll(/tensor \[\d{2,}, /g, 'tensor [10, ');
    assert.is(said, blamed(files[i]!, line), `method ${i}`);
  }
  assert.is(exitCodeOf(summary.failures), 2);
});

test("a variant's counts of multiply-accumulates are two numbers of 0 or more", () => {
  const shape = { d_in: 4, d_sae: 8, d_out: 4 };
  const of = (macs: unknown) =>
    checkedSae({ id: 'costly', source: 'costly.ts', macs } as unknown as SaeDefinition, shape).macs!(shape, {});
  assert.equal(
    of(() => ({ encode: 32, decode: 0 })),
    { encode: 32, decode: 0 },
  );
  for (const wrong of [undefined, 64, { encode: 32 }, { encode: NaN, decode: 1 }, { encode: 32, decode: -1 }]) {
    assert.throws(() => of(() => wrong), /^macs: expected encode and decode, numbers of 0 or more; found/);
  }
  assert.throws(() => of(32), /macs: expected a function; found 32/);
});

test('what a baseline writes is a text', () => {
  const given = (write: unknown): BaselineDefinition => ({
    ...{ id: 'w', title: 'W', version: 1, options: {}, needs: 'nothing', seeded: false },
    fit: async () => ({ tensors: {} }),
    restore: (_state, { d_in }) => ({ d_in, sparse: false, write: write as () => string, dispose() {} }),
  });
  const written = (write: unknown) =>
    checkedBaseline(given(write), 'w.ts').restore({ tensors: {} }, { d_in: 4, options: {} }).write!(
      { id: 'c', label: 'c' },
      { id: 'p', text: 'p' },
    );
  assert.is(
    written(() => 'text'),
    'text',
  );
  assert.throws(() => written(() => 3), /write of 'c': expected a text; found/);
  assert.throws(() => written('text'), /restore: write: expected a function/);
});

test.run();
