/** @file Llama against PyTorch and against an independent float64 implementation with real weights. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LanguageModel, NamedTensors } from '../../harness/contract.ts';
import { readModelConfig } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { causalLmForward, causalLmShapes, causalLmTokenLosses } from './causal-lm.ts';
import { configReader } from './config.ts';
import llama, { readLlama } from './llama.ts';

import { assertClose, readGolden, sharedData, testFolder } from './testing/golden.ts';
import { loadParams } from './weights.ts';

const test = suite('models/subjects/llama');
test.before(async () => {
  await initBackend('wasm');
});

const open = (folder: string) => llama.load(folder, { id: 'test' }) as Promise<LanguageModel>;

const FOLDERS = {
  'llama-sharded': 'three shards in F32, grouped queries, untied head',
  'llama-bf16': 'BF16, biases, a head width of its own, llama3 rotary scaling',
};

for (const [name, what] of Object.entries(FOLDERS)) {
  test(`${name}: every site, the logits and greedy generation are transformers' (${what})`, async () => {
    const golden = await readGolden(name);
    const batch = await golden.batch();
    const empty = tf.memory().numTensors;
    const model = await open(testFolder(name));
    const loaded = tf.memory().numTensors;
    const sites = model.sites.map((site) => site.name);
    assert.is(sites.length, 2 * 8 + 1);
    const { logits, captured } = model.forward(batch, { capture: sites });
    assertClose('logits', logits!, (await golden.values('logits')).data, { mask: batch.mask });
    for (const site of sites) {
      assertClose(site, captured[site]!, (await golden.values(site)).data, { mask: batch.mask });
    }
    tf.dispose([logits!, captured]);

    const greedy = await golden.values('greedy');
    const rows = [0, 1, 2].map((row) => {
      const from = row * batch.length;
      return [...batch.ids.subarray(from, from + batch.mask.subarray(from, from + batch.length).lastIndexOf(1) + 1)];
    });
    const generated = await model.generate(rows, { maxNewTokens: 12, eosId: -1 });
    assert.equal(generated.flat(), [...greedy.data]);
    assert.is(tf.memory().numTensors, loaded);
    model.dispose();
    assert.is(tf.memory().numTensors, empty);
  });
}

test('a forward pass through plain parameters gives what the loaded subject gives', async () => {
  const folder = testFolder('llama-sharded');
  const batch = await (await readGolden('llama-sharded')).batch();
  const config = readLlama(configReader((await readModelConfig(folder)).json, folder));
  const params: NamedTensors = await loadParams(folder, causalLmShapes(config));
  const model = await open(folder);
  const [plain, loaded] = [causalLmForward(params, config, batch), model.forward(batch)];
  assertClose('logits', plain.logits!, loaded.logits!.dataSync(), { tolerance: 1e-5 });
  tf.dispose([params, plain.logits!, loaded.logits!]);
  model.dispose();
});

test('the head is the unembedding: final-norm output times W_U gives the logits', async () => {
  const model = await open(testFolder('llama-bf16'));
  const batch = await (await readGolden('llama-bf16')).batch();
  tf.tidy(() => {
    const { logits, captured } = model.forward(batch, { capture: ['ln_final.hook_normalized'] });
    const hidden = tf.reshape(captured['ln_final.hook_normalized']!, [-1, 24]);
    assertClose('logits', logits!, tf.matMul(hidden, model.unembedding()).dataSync(), { tolerance: 1e-5 });
  });
  model.dispose();
});

test('texts get BOS, are cut to the limit and padded on the right', async () => {
  const model = await open(testFolder('llama-sharded'));
  const batch = model.tokenize(['w5 w6 w7 w8', 'w9'], { maxLength: 4 });
  assert.equal([batch.n, batch.length], [2, 4]);
  assert.equal([...batch.ids], [1, 5, 6, 7, 1, 9, 2, 2]);
  assert.equal([...batch.mask], [1, 1, 1, 1, 1, 1, 0, 0]);
  assert.equal([...model.tokenize(['w5'], { addSpecialTokens: false }).ids], [5]);
  model.dispose();
});

test('stories260k: ids, logits, residual stream and greedy text of a real model', async () => {
  const folder = sharedData('stories260k-hf');
  if (!folder) return;
  const golden = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'));
  const model = await open(folder);
  assert.is(model.parameters, 260032);
  const batch = model.tokenize([golden.text]);
  assert.equal([...batch.ids], golden.ids);
  const sites = golden.resid_post_mean_norm.map((_: number, block: number) => `blocks.${block}.hook_resid_post`);
  const { logits, captured } = model.forward(batch, { capture: sites });
  const last = tf.slice(tf.reshape(logits!, [batch.length, 512]), [batch.length - 1, 0], [1, 8]);
  assertClose('logits', last, golden.last_token_logits_first8);
  sites.forEach((site: string, block: number) => {
    const x = tf.reshape(captured[site]!, [batch.length, 64]);
    const start = tf.slice(x, [batch.length - 1, 0], [1, 4]);
    assertClose(site, start, golden.resid_post_last_token_first4[block]);
    const norm = tf.mean(tf.norm(x, 'euclidean', 1));
    assertClose(`${site} norm`, norm, [golden.resid_post_mean_norm[block]]);
  });
  const generated = await model.generate([[1]], { maxNewTokens: golden.greedy_from_bos_ids.length - 1 });
  assert.equal([1, ...generated[0]!], golden.greedy_from_bos_ids);
  model.dispose();
});

test('stories260k: 1.42193 nats per token over 60 stories', async () => {
  const folder = sharedData('stories260k-hf');
  const texts = sharedData('tinystories-1000/tinystories_1000.json');
  if (!folder || !texts) return;
  const model = await open(folder);
  const config = readLlama(configReader(model.config, folder));
  const params = await loadParams(folder, causalLmShapes(config));
  const stories: string[] = JSON.parse(readFileSync(texts, 'utf8')).slice(0, 60);
  // Stories of like length side by side, so that little is padding.
  const sorted = stories.sort((a, b) => a.length - b.length);
  let sum = 0;
  let count = 0;
  for (let from = 0; from < sorted.length; from += 6) {
    const { losses } = causalLmTokenLosses(
      params,
      config,
      model.tokenize(sorted.slice(from, from + 6), { maxLength: 512 }),
    );
    for (const loss of losses.dataSync()) sum += loss;
    count += losses.size;
    losses.dispose();
  }
  assert.is(count, 21264);
  assert.ok(Math.abs(sum / count - 1.42193) < 2e-5, `${sum / count}`);
  tf.dispose(params);
  model.dispose();
});

test.run();
