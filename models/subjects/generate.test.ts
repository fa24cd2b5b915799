/** @file Generation with the cache against generation without one, and what batching must not change. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GenerateOptions, Intervention, LanguageModel } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import llama from './llama.ts';
import { batchOf } from './load.ts';
import { argmax } from './sampling.ts';
import { testFolder } from './testing/golden.ts';

const test = suite('models/subjects/generate');
let model: LanguageModel;
test.before(async () => {
  await initBackend('wasm');
  model = (await llama.load(testFolder('llama-sharded'), { id: 'test' })) as LanguageModel;
});
test.after(() => model.dispose());

const PROMPTS = [[1, 17, 30], [1], [1, 9, 8, 7, 6, 5, 4], [1, 44]];
const SAMPLED: GenerateOptions = { maxNewTokens: 15, temperature: 1, topK: 20, topP: 0.9, seed: 5, eosId: -1 };

/** Greedy ids by a full forward pass for every token. */
function cacheless(prompt: number[], steps: number, interventions?: Intervention[]): number[] {
  const ids = [...prompt];
  for (let step = 0; step < steps; step++) {
    const { logits } = model.forward(batchOf([ids], 0), { interventions });
    ids.push(argmax(logits!.dataSync().subarray((ids.length - 1) * 50)));
    logits!.dispose();
  }
  return ids.slice(prompt.length);
}

test('the cache changes nothing: prompts of different length, token by token', async () => {
  const generated = await model.generate(PROMPTS, { maxNewTokens: 20, eosId: -1 });
  assert.equal(
    generated,
    PROMPTS.map((prompt) => cacheless(prompt, 20)),
  );
});

test('an intervention acts at prompt and generated positions alike', async () => {
  const push: Intervention = { site: 'blocks.0.hook_resid_post', apply: (x) => tf.add(x, 0.7) };
  const generated = await model.generate(PROMPTS, { maxNewTokens: 10, eosId: -1, interventions: [push] });
  assert.equal(
    generated,
    PROMPTS.map((prompt) => cacheless(prompt, 10, [push])),
  );
  assert.not.equal(generated, await model.generate(PROMPTS, { maxNewTokens: 10, eosId: -1 }));
});

test('interventions are told the phase, the column and the real positions', async () => {
  const calls: unknown[] = [];
  const spy: Intervention = {
    site: 'blocks.1.hook_resid_pre',
    apply: (x, { offset, phase, mask }) => {
      calls.push([phase, offset, x.shape.slice(0, 2), [...mask.dataSync()]]);
      return x;
    },
  };
  await model.generate([[1, 9, 8], [1]], { maxNewTokens: 3, eosId: -1, interventions: [spy] });
  assert.equal(calls, [
    ['prompt', 0, [2, 3], [1, 1, 1, 1, 0, 0]],
    ['generated', 3, [2, 1], [1, 1]],
    ['generated', 4, [2, 1], [1, 1]],
  ]);
});

test('a row samples the same alone, beside others and in another order', async () => {
  const together = await model.generate(PROMPTS, SAMPLED);
  for (const [row, prompt] of PROMPTS.entries()) {
    assert.equal(await model.generate([prompt], { ...SAMPLED, streams: [row] }), [together[row]]);
  }
  const turned = await model.generate([...PROMPTS].reverse(), { ...SAMPLED, streams: [3, 2, 1, 0] });
  assert.equal(turned.reverse(), together);
});

test('a tiny temperature is the greedy choice, a high one is not', async () => {
  const greedy = await model.generate(PROMPTS, { maxNewTokens: 8, eosId: -1 });
  assert.equal(await model.generate(PROMPTS, { maxNewTokens: 8, eosId: -1, temperature: 1e-30 }), greedy);
  assert.not.equal(await model.generate(PROMPTS, { maxNewTokens: 8, eosId: -1, temperature: 3 }), greedy);
});

test('seeds and streams decide the samples', async () => {
  const twice = [PROMPTS[0]!, PROMPTS[0]!];
  const [first, second] = await model.generate(twice, SAMPLED);
  assert.not.equal(first, second);
  const [same, again] = await model.generate(twice, { ...SAMPLED, streams: [4, 4] });
  assert.equal(same, again);
  assert.not.equal(await model.generate(twice, { ...SAMPLED, seed: 6 }), [first, second]);
});

test('rows stop at each of the tokens that a config lists as ends, beside the tokenizer’s', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-ends-'));
  await cp(testFolder('llama-sharded'), folder, { recursive: true });
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const options = { ...SAMPLED, maxNewTokens: 30 };
  const free = await model.generate(PROMPTS, options);
  // What Gemma's and Llama 3's configs do: the end of a text, and that of a turn.
  const ends = [model.tokenizer.eosId!, free[2]![3]!];
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, eos_token_id: ends }));
  const chat = (await llama.load(folder, { id: 'chat' })) as LanguageModel;
  const expected = free.map((ids) => {
    const end = ids.findIndex((id) => ends.includes(id));
    return end < 0 ? ids : ids.slice(0, end);
  });
  assert.ok(expected[2]!.length <= 3);
  assert.equal(await chat.generate(PROMPTS, { ...options, eosId: undefined }), expected);
  assert.equal(await chat.generate(PROMPTS, options), free, 'what the caller says goes first');
  chat.dispose();
  await rm(folder, { recursive: true });
});

test('rows stop at EOS on their own and the others go on as before', async () => {
  const free = await model.generate(PROMPTS, { ...SAMPLED, maxNewTokens: 30 });
  const eosId = free[2]![3]!;
  const expected = free.map((ids) => (ids.includes(eosId) ? ids.slice(0, ids.indexOf(eosId)) : ids));
  assert.equal(await model.generate(PROMPTS, { ...SAMPLED, maxNewTokens: 30, eosId }), expected);
  const idle: Intervention = { site: 'blocks.0.hook_attn_out', apply: (x) => x };
  const steered = await model.generate(PROMPTS, { ...SAMPLED, maxNewTokens: 30, eosId, interventions: [idle] });
  assert.equal(steered, expected);
});

test('the longest sequence of the model is the limit', async () => {
  const [ids, rest] = await model.generate([Array(62).fill(7), [1]], { maxNewTokens: 100, eosId: -1 });
  assert.is(ids!.length, 2);
  assert.is(rest!.length, 63);
});

test('no prompts, no tokens', async () => {
  assert.equal(await model.generate([], { maxNewTokens: 5 }), []);
  assert.equal(await model.generate([[1]], { maxNewTokens: 0 }), [[]]);
});

test('an abort ends it and leaves no tensors', async () => {
  const before = tf.memory().numTensors;
  const controller = new AbortController();
  const stop: Intervention = {
    site: 'blocks.0.hook_resid_pre',
    apply: (x, { offset }) => {
      if (offset === 9) controller.abort();
      return x;
    },
  };
  const options = { maxNewTokens: 50, eosId: -1, interventions: [stop], signal: controller.signal };
  const outcome = await model.generate(PROMPTS, options).catch((error: Error) => error.name);
  assert.is(outcome, 'AbortError');
  assert.is(tf.memory().numTensors, before);
});

test('bad prompts and options are refused', async () => {
  const refused: [number[][], Partial<GenerateOptions>, RegExp][] = [
    [[[]], {}, /prompt 0: expected 1 to 63 ids.* found 0/],
    [[Array(64).fill(1)], {}, /prompt 0: expected 1 to 63 ids, so that one more fits, found 64/],
    [[[1], [50]], {}, /prompt 1: expected ids below 50, found 50/],
    [[[1]], { maxNewTokens: -1 }, /maxNewTokens/],
    [[[1]], { temperature: -0.1 }, /temperature/],
    [[[1]], { topK: 0 }, /topK/],
    [[[1]], { topP: 0 }, /topP/],
    [[[1]], { streams: [1, 2] }, /streams: expected one for each of the 1 prompts/],
    [[[1]], { interventions: [{ site: 'blocks.9.hook_resid_pre', apply: (x) => x }] }, /unknown site/],
  ];
  for (const [prompts, options, message] of refused) {
    const found = await model.generate(prompts, { maxNewTokens: 3, ...options }).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    assert.match(found, message);
  }
});

test.run();
