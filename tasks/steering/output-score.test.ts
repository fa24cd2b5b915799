import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ConceptSet,
  type FittedMethod,
  type LanguageModel,
  type PooledLatents,
  tf,
} from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { memoryActivations, memoryLabelled } from '../../harness/testing/activations.ts';
import llama from '../../models/subjects/llama.ts';
import { largestCode, outputScores, scorable } from './output-score.ts';
import { steeringVectors } from './steering-vectors.ts';

const test = suite('tasks/steering/output-score');
const SITE = 'blocks.0.hook_resid_post';
const golden = JSON.parse(readFileSync(new URL('testdata/output-score.json', import.meta.url), 'utf8')) as {
  ids: number[];
  largest: number;
  effects: number[][];
  scores: number[];
};

let lm: LanguageModel;
test.before(async () => {
  await initBackend('wasm');
  const folder = new URL('../../models/subjects/testdata/llama-sharded', import.meta.url).pathname;
  lm = (await llama.load(folder, { id: 'test' })) as LanguageModel;
});
test.after(() => lm.dispose());

test("output scores are PyTorch's", async () => {
  const before = tf.memory().numTensors;
  const effects = golden.effects.map((effect) => Float32Array.from(effect));
  const found = await outputScores(lm, SITE, golden.ids, effects, golden.largest);
  const gap = Math.max(...golden.scores.map((score, i) => Math.abs(score - found[i]!)));
  assert.ok(gap < 1e-5, `${[...found]} ${golden.scores}`);
  assert.is(tf.memory().numTensors, before);
});

/** Latent i reads coordinate i and adds the golden effect i. */
function dictionary(d: number): FittedMethod {
  const effects = () => tf.tensor2d(golden.effects);
  return {
    ...{ d_in: d, d_sae: 4, sparse: true },
    encode: (x) => ({ kind: 'dense', values: tf.relu(tf.slice(x, [0, 0], [-1, 4])) }),
    decode: ({ values }) => tf.tidy(() => tf.matMul(values, effects())),
    dispose() {},
  };
}

test('of the latents of best AUROC the one of largest output score steers; by label the one described so', async () => {
  const d = golden.effects[0]!.length;
  const row = (on: boolean) => [Array.from({ length: d }, (_, i) => (on && i < 4 ? 1 + i : 0))];
  const set: ConceptSet = {
    concepts: [{ id: 'c', label: 'Sea birds' }],
    items: [0, 1, 2, 3].map((i) => ({ id: `${i}` })),
    examples: [0, 1, 2, 3].map((item) => ({
      concept: 0,
      item,
      split: 'train',
      role: item < 2 ? 'positive' : 'negative',
    })),
  };
  const labelled = memoryLabelled(set, memoryActivations([row(true), row(true), row(false), row(false)]));
  const method = dictionary(d);
  const max = {
    n: 4,
    d_sae: 4,
    indptr: Uint32Array.of(0, 4, 8, 8, 8),
    indices: Uint32Array.of(0, 1, 2, 3, 0, 1, 2, 3),
    values: Float32Array.of(1, 2, 3, 4, 1, 2, 3, 4),
  };
  const latents = async (): Promise<PooledLatents> => ({ kind: 'sparse', items: 4, d_sae: 4, l0: 2, max });
  const tools = { latents, subject: lm, site: { name: SITE, d, modality: 'text', kind: 'tokens' } as const };
  const found = await steeringVectors(method, labelled, [0], tools, 'output-score');
  assert.ok(found && typeof found !== 'string');
  const { ids } = lm.tokenizer.encode('From my experience,');
  const effects = golden.effects.map((effect) => Float32Array.from(effect));
  const scores = await outputScores(lm, SITE, ids, effects, await largestCode(lm, SITE, ids, method));
  const best = scores.indexOf(Math.max(...scores));
  assert.is(found.selection, 'output-score');
  assert.is(found.vectors[0]!.latent, best);
  assert.is(found.vectors[0]!.scale, best + 1);
  assert.ok(Math.abs((found.vectors[0]!.details['output_score'] as number) - scores[best]!) < 1e-6);
  // All four latents have AUROC 1: the choice by AUROC is the first.
  const auroc = await steeringVectors(method, labelled, [0], tools);
  assert.is((auroc as { vectors: { latent: number }[] }).vectors[0]!.latent, 0);
  const named = { ...method, labels: { 0: 'ships', 2: 'sea  birds' } };
  const byLabel = await steeringVectors(named, labelled, [0], tools, 'label');
  assert.is((byLabel as { vectors: { latent: number }[] }).vectors[0]!.latent, 2);
  const strange = await steeringVectors({ ...method, labels: { 1: 'ships' } }, labelled, [0], tools, 'label');
  assert.equal(strange, { selection: 'label', vectors: [undefined] });
  assert.match(String(await steeringVectors(method, labelled, [0], tools, 'label')), /name a file/);
  const nowhere = await steeringVectors(method, labelled, [0], { latents }, 'output-score');
  assert.is(nowhere, 'output scores need a language model');
});

test('where there is no output score it is said why', () => {
  assert.is(scorable(undefined, SITE), 'output scores need a language model');
  assert.match(String(scorable(lm, 'blocks.0.hook_mlp_out')), /residual stream/);
  assert.match(String(scorable({ ...lm, forwardFrom: undefined } as LanguageModel, SITE)), /last block/);
  assert.equal(scorable(lm, SITE), { lm, at: SITE });
});

test.run();
