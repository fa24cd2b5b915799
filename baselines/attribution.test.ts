import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ActivationSet,
  type ConceptSet,
  type FittedState,
  type LanguageModel,
  type Subject,
  type TokenBatch,
  tf,
} from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import llama from '../models/subjects/llama.ts';
import ig from './ig.ts';
import ixg from './ixg.ts';
import { HEAD, type HeadWeights, headShapes, trainHead } from './parts/attribution/head.ts';
import { requirePlace } from './parts/attribution/last-states.ts';

const test = suite('baselines/attribution');
const SITE = 'blocks.0.hook_resid_post';

interface Golden {
  texts: number[][];
  head: Record<string, number[]>;
  baseline: number[];
  steps: number;
  ixg: number[][];
  ig: number[][];
  training: Record<'start' | 'once' | 'twice', Record<string, number[]>> & { states: number[]; labels: number[] };
}
const golden = JSON.parse(readFileSync(new URL('testdata/attribution.json', import.meta.url), 'utf8')) as Golden;

let lm: LanguageModel;
let set: ActivationSet;
test.before(async () => {
  await initBackend('wasm');
  const folder = new URL('../models/subjects/testdata/llama-sharded', import.meta.url).pathname;
  lm = (await llama.load(folder, { id: 'test' })) as LanguageModel;
  set = memoryActivations(await Promise.all(golden.texts.map(rowsAt)), { tokenIds: golden.texts, special: [0] });
});
test.after(() => lm.dispose());

/** Rows of a text at the site. */
async function rowsAt(ids: number[]): Promise<number[][]> {
  const batch: TokenBatch = {
    n: 1,
    length: ids.length,
    ids: Int32Array.from(ids),
    mask: new Uint8Array(ids.length).fill(1),
  };
  const found = tf.tidy(() => lm.forward(batch, { capture: [SITE], output: false }).captured[SITE]!);
  const rows = await found.array();
  found.dispose();
  return rows[0]!;
}

const options = {
  epochs: 1,
  batchSize: 36,
  lr: 4e-4,
  weightDecay: 2e-4,
  dropout: 0.3,
  softmax: 'once' as const,
  steps: golden.steps,
};

/** A state with the golden head. */
function goldenState(): FittedState {
  const d = golden.baseline.length;
  const shapes = headShapes(d);
  const heads = HEAD.map((name) => [
    name,
    { shape: [1, ...shapes[name]], data: Float32Array.from(golden.head[name]!) },
  ]);
  return {
    tensors: { ...Object.fromEntries(heads), baseline: { shape: [d], data: Float32Array.from(golden.baseline) } },
    json: { concepts: ['fever'] },
  };
}

const concept = { id: 'fever', label: 'fever' };

test("scores are PyTorch's: the largest attribution of a text's kept tokens", async () => {
  for (const [name, method] of [
    ['ixg', ixg.restore(goldenState(), { d_in: set.d_in, options, subject: lm, site: SITE })],
    ['ig', ig.restore(goldenState(), { d_in: set.d_in, options, subject: lm, site: SITE })],
  ] as const) {
    const before = tf.memory().numTensors;
    const detector = method.detector!(concept)!;
    assert.is(detector.direction, undefined);
    const items = golden.texts.map((_, i) => ({ id: `${i}` }));
    const places = Uint32Array.of(2, 0, 1);
    const found = await detector.scoreItems!({ items, activations: set }, places);
    // Position 0 does not count.
    const wanted = [...places].map((place) => Math.max(...golden[name][place]!.slice(1)));
    const gap = Math.max(...wanted.map((value, i) => Math.abs(found[i]! / value - 1)));
    assert.ok(gap < 2e-4, `${name}: ${[...found]} ${wanted}`);
    assert.is(tf.memory().numTensors, before);
    assert.is(method.detector!({ id: 'unknown', label: '' }), undefined);
    method.dispose();
  }
});

test("three steps of the classifier are PyTorch's, with one softmax and with AxBench's two", async () => {
  const { states, labels, start } = golden.training;
  const weights = Object.fromEntries(HEAD.map((name) => [name, Float32Array.from(start[name]!)])) as HeadWeights;
  for (const softmax of ['once', 'twice'] as const) {
    const settings = { epochs: 3, batchSize: 36, lr: 0.05, weightDecay: 0.1, dropout: 0, softmax };
    const found = await trainHead(Float32Array.from(states), Uint8Array.from(labels), weights, settings, createRng(0));
    const gap = Math.max(
      ...HEAD.flatMap((name) =>
        golden.training[softmax][name]!.map((value, i) => Math.abs(value - found.weights[name][i]!)),
      ),
    );
    assert.ok(gap < 1e-5, `${softmax}: ${gap}`);
  }
});

const labelledSet = (roles: ('positive' | 'negative')[]): ConceptSet => ({
  concepts: [concept],
  items: roles.map((_, i) => ({ id: `i${i}` })),
  examples: roles.map((role, item) => ({ concept: 0, item, split: 'train' as const, role })),
});

async function fit(roles: ('positive' | 'negative')[], subject: Subject | undefined, site = SITE, lr = 0.01) {
  const labelled = memoryLabelled(labelledSet(roles), set);
  return await ig.fit({
    ...{ options: { ...options, epochs: 60, lr, dropout: 0 }, rng: createRng(0), activations: set, labelled, site },
    ...(subject ? { subject } : {}),
    progress: () => {},
  });
}

test('a fit learns its training texts, and the same seed gives the same', async () => {
  const state = await fit(['positive', 'negative', 'negative'], lm);
  assert.equal((state.json as { accuracies: number[] }).accuracies, [1]);
  assert.equal(state, await fit(['positive', 'negative', 'negative'], lm));
  const before = tf.memory().numTensors;
  await fit(['positive', 'negative', 'negative'], lm);
  assert.is(tf.memory().numTensors, before);
});

test('an empty text is named where a classifier is fitted, and has no score', async () => {
  const ids = [[], ...golden.texts];
  const rows = await Promise.all(ids.map((text) => (text.length > 0 ? rowsAt(text) : [])));
  const activations = memoryActivations(rows, { tokenIds: ids, special: [0] });
  const labelled = memoryLabelled(labelledSet(['negative', 'positive', 'negative', 'negative']), activations);
  const context = { options, rng: createRng(0), activations, labelled, subject: lm, site: SITE, progress: () => {} };
  assert.match(await refusal(ixg.fit(context)), /ixg: training item 'i0': expected a text of at least one token/);
  const method = ixg.restore(goldenState(), { d_in: set.d_in, options, subject: lm, site: SITE });
  const { scoreItems } = method.detector!(concept)!;
  const found = await scoreItems!({ items: labelled.set.items, activations }, Uint32Array.of(0, 1));
  assert.is(found[0], -Infinity);
  assert.equal(found.slice(1), await scoreItems!({ items: [], activations: set }, Uint32Array.of(0)));
  method.dispose();
});

test('a site that the baseline of ig does not fit is refused before anything is trained', async () => {
  const narrow = memoryActivations(golden.texts.map((ids) => ids.map(() => [1, 2])));
  const labelled = memoryLabelled(labelledSet(['positive', 'negative', 'negative']), narrow);
  const context = { options, rng: createRng(0), activations: narrow, labelled, subject: lm, site: SITE };
  const progress = () => assert.unreachable('training has begun');
  assert.match(await refusal(ig.fit({ ...context, progress })), /ig: expected a site as wide as the embeddings, 24/);
});

test('one class only, no model, an unknown site and a rate that explodes are refused', async () => {
  assert.match(await refusal(fit(['positive', 'positive', 'positive'], lm)), /concept 'fever'.*0 negatives/);
  assert.match(await refusal(fit(['positive', 'negative', 'negative'], undefined)), /found no subject/);
  assert.throws(() => requirePlace('ig', { subject: { type: 'clip' }, site: SITE }), /found a subject of type 'clip'/);
  assert.match(await refusal(fit(['positive', 'negative', 'negative'], lm, 'a+b')), /found 'a\+b'/);
  assert.match(await refusal(fit(['positive', 'negative', 'negative'], lm, SITE, 1e38)), /not finite; lower lr/);
});

test.run();
