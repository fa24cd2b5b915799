/** @file Training through the forward passes: start values, gradients, falling losses, saving and loading again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clip, NamedTensors, Scalar, TokenBatch, Variable } from '../../harness/contract.ts';
import { readJson } from '../../harness/io/json.ts';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { causalLmForward, causalLmShapes, causalLmTokenLosses } from './causal-lm.ts';
import clip, { readClip } from './clip.ts';
import { configReader } from './config.ts';
import { contrastiveLoss } from './contrastive.ts';
import { dualEncoderShapes, imageForward, textForward } from './dual-encoder.ts';
import { initCausalLm, initDualEncoder } from './init.ts';
import { readLlama } from './llama.ts';
import { saveSubject } from './save.ts';
import { assertClose, testFolder } from './testing/golden.ts';
import { TINY_LLAMA } from './testing/tiny-llama.ts';

const test = suite('models/subjects/training');
test.before(async () => {
  await initBackend('wasm');
});

const llamaOf = (json: Record<string, unknown>) => readLlama(configReader(json, 'test'));
const LLAMA = llamaOf({ ...TINY_LLAMA, tie_word_embeddings: true });

/** Mean −ln p of the predicted tokens. */
const meanLoss = (params: NamedTensors, batch: TokenBatch): Scalar =>
  tf.tidy(() => tf.mean(causalLmTokenLosses(params, LLAMA, batch).losses));

/** Right-padded rows of a rule that can be learnt: each id is the last one plus 3, modulo 20. */
function rows(): TokenBatch {
  const [n, length] = [6, 8];
  const ids = Int32Array.from({ length: n * length }, (_, at) => (Math.floor(at / length) + 3 * (at % length)) % 20);
  const mask = Uint8Array.from(ids, (_, at) => (at % length < 8 - Math.floor(at / length) ? 1 : 0));
  return { n, length, ids, mask };
}

function asVariables(params: NamedTensors): Record<string, Variable> {
  const entries = Object.entries(params).map(([name, tensor]) => [name, tf.variable(tensor)] as const);
  tf.dispose(params);
  return Object.fromEntries(entries);
}

/** Descent by the gradients' signs, which needs no tuned step; gives the losses. */
function descend(params: Record<string, Variable>, loss: () => Scalar, steps: number, lr: number): number[] {
  const names = Object.keys(params);
  const byId = new Map(names.map((name) => [params[name]!.name, params[name]!]));
  return Array.from({ length: steps }, () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(loss, Object.values(params));
      assert.is(Object.keys(grads).length, names.length, 'every parameter has a gradient');
      for (const [id, gradient] of Object.entries(grads)) {
        const variable = byId.get(id)!;
        variable.assign(tf.sub(variable, tf.mul(tf.sign(gradient), lr)));
      }
      return value.dataSync()[0]!;
    }),
  );
}

test('start values have the shapes of the config and depend on the seed alone', () => {
  const [first, again, other] = [1, 1, 2].map((seed) => initCausalLm(LLAMA, createRng(seed)));
  for (const [name, shape] of Object.entries(causalLmShapes(LLAMA))) {
    assert.equal(first![name]!.shape, shape, name);
    assert.equal(first![name]!.dataSync(), again![name]!.dataSync());
  }
  const up = 'model.layers.1.mlp.up_proj.weight';
  assert.not.equal(first![up]!.dataSync(), other![up]!.dataSync());
  assert.not.equal(first![up]!.dataSync(), first!['model.layers.0.mlp.up_proj.weight']!.dataSync());
  const wide = llamaOf({
    hidden_size: 256,
    num_attention_heads: 4,
    intermediate_size: 64,
    num_hidden_layers: 8,
    vocab_size: 9,
  });
  const params = initCausalLm(wide, createRng(3));
  const spread = (name: string) => Math.hypot(...params[name]!.dataSync()) / Math.sqrt(params[name]!.size);
  assert.ok(Math.abs(spread('model.layers.0.self_attn.q_proj.weight') * 16 - 1) < 0.02);
  assert.ok(Math.abs(spread('model.layers.0.self_attn.o_proj.weight') * 64 - 1) < 0.02);
  assert.ok(Math.abs(spread('model.embed_tokens.weight') / 0.02 - 1) < 0.05);
  tf.dispose([first!, again!, other!, params]);
});

test('the loss is the mean cross-entropy of the predicted real tokens', () => {
  const params = initCausalLm(LLAMA, createRng(4));
  const batch = rows();
  const loss = meanLoss(params, batch);
  const logits = causalLmForward(params, LLAMA, batch).logits!;
  const values = logits.dataSync<'float32'>();
  let sum = 0;
  let count = 0;
  for (let at = 0; at + 1 < batch.ids.length; at++) {
    if (at % 8 === 7 || !batch.mask[at + 1]) continue;
    const row = values.subarray(at * 20, (at + 1) * 20);
    sum += Math.log(row.reduce((total, x) => total + Math.exp(x), 0)) - row[batch.ids[at + 1]!]!;
    count++;
  }
  assert.is(count, 7 + 6 + 5 + 4 + 3 + 2);
  assertClose('loss', loss, [sum / count], { tolerance: 1e-5 });
  tf.dispose([params, loss, logits]);
});

test('gradients of a Llama are those of finite differences', () => {
  const params = asVariables(initCausalLm(LLAMA, createRng(5)));
  const batch = rows();
  const { value, grads } = tf.variableGrads(() => meanLoss(params, batch), Object.values(params));
  for (const [name, variable] of Object.entries(params)) {
    const gradient = grads[variable.name]!.dataSync();
    // Along the gradient's own direction the slope is its norm: large enough to measure in float32.
    const norm = Math.hypot(...gradient);
    const start = Float32Array.from(variable.dataSync());
    const step = 0.003 * Math.hypot(...start);
    const at = (t: number) => {
      variable.assign(
        tf.tensor(
          start.map((x, i) => x + (t * gradient[i]!) / norm),
          variable.shape,
        ),
      );
      return meanLoss(params, batch).dataSync()[0]!;
    };
    const slope = (at(step) - at(-step)) / (2 * step);
    at(0);
    assert.ok(Math.abs(slope - norm) < 0.03 * norm + 1e-4, `${name}: ${norm}, finite differences ${slope}`);
  }
  tf.dispose([params, value, grads]);
});

test('a Llama learns a rule', () => {
  const params = asVariables(initCausalLm(LLAMA, createRng(6)));
  const before = tf.memory().numTensors;
  const batch = rows();
  const losses = descend(params, () => meanLoss(params, batch), 30, 0.02);
  assert.ok(Math.abs(losses[0]! - Math.log(20)) < 0.1, `starts at ${losses[0]}`);
  assert.ok(losses.at(-1)! < 0.5, `ends at ${losses.at(-1)}`);
  assert.is(tf.memory().numTensors, before);
  tf.dispose(params);
});

test('a CLIP learns to pair, and is saved and loaded again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-clip-'));
  const source = testFolder('clip-quick-gelu');
  const json = (file: string) => readJson(join(source, file), 'test') as Promise<Record<string, unknown>>;
  const config = await json('config.json');
  const parsed = readClip(configReader(config, 'test'));
  const params = asVariables(initDualEncoder(parsed, createRng(7)));
  assert.equal(Object.keys(params).sort(), Object.keys(dualEncoderShapes(parsed)).sort());
  const pixels = tf.tensor4d(createRng(8).fillNormal(new Float32Array(4 * 432)), [4, 12, 12, 3]);
  const ids = Int32Array.from([38, 5, 39, 38, 6, 39, 38, 7, 39, 38, 8, 39]);
  const texts = { n: 4, length: 3, ids, mask: new Uint8Array(12).fill(1) };
  const loss = (): Scalar => {
    const images = imageForward(params, parsed, pixels).embeds!;
    return contrastiveLoss(images, textForward(params, parsed, texts).embeds!, params['logit_scale']!);
  };
  const before = tf.memory().numTensors;
  const losses = descend(params, loss, 60, 0.01);
  assert.ok(Math.abs(losses[0]! - Math.log(4)) < 1.5, `starts at ${losses[0]}`);
  assert.ok(losses.at(-1)! < 0.1, `ends at ${losses.at(-1)}`);
  assert.is(tf.memory().numTensors, before);

  const files = { tokenizer: await json('tokenizer.json'), tokenizer_config: await json('tokenizer_config.json') };
  await saveSubject(folder, params, { config, preprocessor_config: await json('preprocessor_config.json'), ...files });
  const model = (await clip.load(folder, { id: 'saved' })) as Clip;
  const scores = tf.tidy(() => {
    const image = model.forwardImage(pixels).embeds!;
    const text = model.forwardText(texts).embeds!;
    return tf.argMax(tf.matMul(image, text, false, true), 1).dataSync();
  });
  assert.equal([...scores], [0, 1, 2, 3]);
  model.dispose();
  tf.dispose([params, pixels]);
  await rm(folder, { recursive: true });
});

test.run();
