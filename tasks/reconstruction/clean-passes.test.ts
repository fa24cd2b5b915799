/** @file What is kept of a language model's clean passes, on tiny-lm-planted in the text world. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LanguageModel, tf } from '../../harness/contract.ts';
import { packageRoot } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { memoryActivations } from '../../harness/testing/activations.ts';
import llama from '../../models/subjects/llama.ts';
import textWorld from '../datasets/text-world.ts';
import { prepareLm, spliceLm } from './language-model.ts';

const test = suite('tasks/reconstruction/clean-passes');
test.before(async () => {
  await initBackend('wasm');
});

test('what is kept of the clean passes changes no bit: log-probabilities, the stream after the last block, nothing', async () => {
  const model = (await llama.load(join(packageRoot, 'models/pretrained/tiny-lm-planted'), {
    id: 'tiny-lm-planted',
  })) as LanguageModel;
  const world = await textWorld.open({ train: 4, eval: 4 }, { seed: 0, baseDir: '' });
  const texts = (await world.corpus('test', 6)).map(({ text }) => text!);
  const site = 'blocks.2.hook_resid_post';
  const batch = model.tokenize(texts);
  const x = tf.tidy(() => model.forward(batch, { capture: [site], output: false }).captured[site]!);
  const lengths = texts.map((_, i) => batch.mask.subarray(i * batch.length, (i + 1) * batch.length).indexOf(0));
  const own = <T>(row: T[], i: number) => (lengths[i]! < 0 ? row : row.slice(0, lengths[i]));
  const rows = (x.arraySync() as number[][][]).map(own);
  const tokenIds = texts.map((_, i) => own([...batch.ids.subarray(i * batch.length, (i + 1) * batch.length)], i));
  const set = memoryActivations(rows, { tokenIds, special: [0] });
  x.dispose();
  const before = tf.memory().numTensors;
  // 6 documents of some 70 tokens: 2.6 MB of log-probabilities, 0.2 MB of the stream.
  const found: unknown[] = [];
  for (const [cleanMiB, kept] of [
    [8, 'lm_clean_log_probs'],
    [1, 'lm_clean_stream'],
    [0, undefined],
  ] as const) {
    const passes = { documents: 6, cleanMiB, progress: () => {} };
    const arrays = await prepareLm(model, site, set, new Float32Array(128), passes);
    assert.equal(
      Object.keys(arrays).filter((name) => name.startsWith('lm_clean')),
      kept ? [kept] : [],
    );
    const sums = await spliceLm(model, site, set, { json: {}, arrays }, (rows) => tf.mul(rows, 0.9), passes);
    found.push(Object.fromEntries(Object.entries(sums).map(([name, values]) => [name, [...values]])));
  }
  assert.ok((found[0] as { kl: number[] }).kl.every((value) => value > 0));
  assert.equal(found[1], found[0]);
  assert.equal(found[2], found[0]);
  // Of a vocabulary that is padded beyond the tokenizer's ids all columns count.
  const padded = { ...model, tokenizer: { ...model.tokenizer, vocabSize: 1 } };
  const arrays = await prepareLm(padded, site, set, new Float32Array(128), {
    documents: 6,
    cleanMiB: 1,
    progress() {},
  });
  assert.ok(arrays['lm_clean_stream'] && !arrays['lm_clean_log_probs']);
  assert.is(tf.memory().numTensors, before);
  model.dispose();
});

test.run();
