/** @file Weights held in 16 bits: every number that comes out has the bits that the float32 file of the same values gives. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LanguageModel, NamedTensors, Tensor3D } from '../../harness/contract.ts';
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from '../../harness/io/float16.ts';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend, probeBackends } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { causalLmFiles } from './causal-lm.ts';
import { configReader } from './config.ts';
import { initCausalLm } from './init.ts';
import { batchOf } from './load.ts';
import { saveSubject } from './save.ts';
import { readTiny, TINY_MODELS } from './testing/families.ts';
import { testFolder } from './testing/golden.ts';
import { packParams } from './weights.ts';

const test = suite('models/subjects/inference');
const native = (await probeBackends()).some(({ name, available }) => name === 'native' && available);
let folder = '';
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saxbench-inference-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

const ROUND = {
  F32: (values: Float32Array) => values,
  BF16: (values: Float32Array) => bfloatToFloat(floatToBfloat(values)),
  F16: (values: Float32Array) => halfToFloat(floatToHalf(values)),
};
const BATCH = batchOf(
  [9, 6, 2].map((length, row) => Array.from({ length }, (_, i) => 3 + ((5 * row + 3 * i) % 40))),
  0,
);

/** A tiny model with weights that the type holds, written in that type or in float32, and loaded. */
async function load(name: string, type: keyof typeof ROUND, written: 'F32' | 'BF16' | 'F16'): Promise<LanguageModel> {
  const { plugin, read } = TINY_MODELS[name]!;
  const config = await readTiny(name, 'config.json');
  const lm = read(configReader(config, name));
  const fresh = initCausalLm(lm, createRng(name));
  const rounded: NamedTensors = Object.fromEntries(
    Object.entries(fresh).map(([key, x]) => [key, tf.tensor(ROUND[type](x.dataSync() as Float32Array), x.shape)]),
  );
  const stored = packParams(rounded, causalLmFiles(lm));
  await saveSubject(folder, stored, { config }, written);
  tf.dispose([fresh, rounded, stored]);
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(testFolder('llama-bf16'), file), join(folder, file));
  }
  return (await plugin.load(folder, { id: name })) as LanguageModel;
}

const bits = (values: ArrayLike<number>) => new Int32Array(Float32Array.from(values).buffer);

/** All that a model computes: logits, generated ids, the unembedding, and a gradient through its blocks. */
async function numbersOf(model: LanguageModel) {
  const site = 'blocks.0.hook_resid_post';
  const { logits, captured } = model.forward(BATCH, { capture: [site] });
  const x = captured[site] as Tensor3D;
  const few = model.forward(batchOf([[7, 8]], 0)).logits!;
  const head = model.unembedding!();
  const gradient = tf.grad((start) => tf.sum(tf.square(model.forwardFrom!(site, start as Tensor3D, BATCH).logits!)))(x);
  const generated = await model.generate(
    [
      [5, 6, 7],
      [8, 9],
    ],
    { maxNewTokens: 6, eosId: -1, temperature: 1, seed: 3 },
  );
  const all = [logits!, x, few, head, gradient].map((tensor) => bits(tensor.dataSync()));
  tf.dispose([logits!, x, few, head, gradient]);
  return { all, generated };
}

// With norms after the layers; in parallel; with fused blocks, tied; a head of its own.
for (const name of native ? ['olmo2', 'gpt-neox', 'qwen2', 'gemma2'] : []) {
  for (const type of ['BF16', 'F16'] as const) {
    test(`${name}, ${type}: the bits of the float32 weights, in less memory`, async () => {
      await initBackend('native');
      const empty = tf.memory();
      const wide = await load(name, type, 'F32');
      const expected = await numbersOf(wide);
      const wideBytes = tf.memory().numBytes - empty.numBytes;
      wide.dispose();
      const narrow = await load(name, type, type);
      assert.ok(tf.memory().numBytes - empty.numBytes < wideBytes, 'no less memory');
      assert.equal(await numbersOf(narrow), expected);
      narrow.dispose();
      assert.is(tf.memory().numTensors, empty.numTensors);
    });
  }
}

// Tied; with an embedding of its own.
for (const name of native ? ['qwen2', 'mistral'] : []) {
  test(`${name} in precision bf16: layers round, rows that are looked up do not`, async () => {
    const mixed = await initBackend('native', 'bf16').catch(() => undefined);
    if (!mixed) return;
    const numbers = async (type: 'F32' | 'F16') => {
      const model = await load(name, type, type);
      const site = 'blocks.0.hook_resid_pre';
      const { logits, captured } = model.forward(BATCH, { capture: [site] });
      const both = [captured[site]!, logits!].map((tensor) => bits(tensor.dataSync()));
      tf.dispose([captured[site]!, logits!]);
      model.dispose();
      return both;
    };
    const before = tf.memory().numTensors;
    for (const type of ['F32', 'F16'] as const) {
      await initBackend('native', 'bf16');
      const [rows, logits] = await numbers(type);
      await initBackend('native');
      const [wholeRows, wholeLogits] = await numbers(type);
      assert.equal(rows, wholeRows, type);
      assert.not.equal(logits, wholeLogits, type);
    }
    assert.is(tf.memory().numTensors, before);
  });
}

test('backends without packed products widen at load, and compute as ever', async () => {
  await initBackend('cpu');
  const wide = await load('olmo2', 'BF16', 'F32');
  const expected = await numbersOf(wide);
  wide.dispose();
  const narrow = await load('olmo2', 'BF16', 'BF16');
  assert.equal(await numbersOf(narrow), expected);
  narrow.dispose();
});

test.run();
