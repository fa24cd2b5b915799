/** @file What the common part of language models offers to families that none of the package's uses yet. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { readBert } from './bert.ts';
import { type CausalLm, causalLmFiles, causalLmForward, causalLmShapes } from './causal-lm.ts';
import { configReader } from './config.ts';
import { readyLinears } from './inference.ts';
import { initCausalLm } from './init.ts';
import { readLlama } from './llama.ts';
import { batchOf } from './load.ts';
import { assertClose } from './testing/golden.ts';
import { TINY_LLAMA } from './testing/tiny-llama.ts';
import { textEncoderFiles } from './text-encoder.ts';
import { fusedLinears, linearNames, packBlocks } from './transformer.ts';

const test = suite('models/subjects/causal-lm');

test('biases of q, k and v without one of the output (Qwen 2): fused blocks give what single operations do', async () => {
  await initBackend('native').catch(() => initBackend('wasm'));
  const llama = readLlama(configReader({ ...TINY_LLAMA, attention_bias: true }, 'test'));
  const { stack } = llama;
  const lm: CausalLm = { ...llama, stack: { ...stack, bias: { ...stack.bias, out: false } } };
  const names = Object.keys(causalLmShapes(lm)).filter((name) => name.endsWith('bias') && name.includes('layers.1.'));
  assert.equal(
    names.map((name) => name.split('.').at(-2)),
    ['q_proj', 'k_proj', 'v_proj'],
  );
  const before = tf.memory().numTensors;
  const rng = createRng(1);
  const fresh = initCausalLm(lm, rng);
  // Start values of biases are 0.
  const params = tf.tidy(() =>
    Object.fromEntries(
      Object.entries(fresh).map(([name, x]) => [
        name,
        tf.add(x, tf.tensor(rng.fork(name).fillNormal(new Float32Array(x.size), 0, 0.3), x.shape)),
      ]),
    ),
  );
  const batch = batchOf([[1, 2, 3], [4, 5], [6, 7, 8], [9]], 0);
  const plain = causalLmForward(params, lm, batch).logits!;
  const layers = { linears: [...linearNames(lm.stack), lm.head], tables: [lm.head], fused: fusedLinears(lm.stack) };
  const ready = packBlocks(readyLinears(params, layers), lm.stack);
  const fused = causalLmForward(ready, lm, batch).logits!;
  assertClose('logits', fused, plain.dataSync(), { mask: batch.mask, tolerance: 1e-4 });
  tf.dispose([fresh, ready, plain, fused]);
  assert.is(tf.memory().numTensors, before);
});

test('how files hold a layer: what the family says of it holds beside what the stack says of its own', () => {
  const llama = readLlama(configReader(TINY_LLAMA, 'test'));
  const out = 'model.layers.0.self_attn.o_proj';
  const stored = { 'mlp.down_proj': { transpose: true } };
  // A square weight that is left as it lies would be another model's without a word.
  const lm: CausalLm = {
    ...llama,
    stack: { ...llama.stack, stored },
    files: { linears: { [out]: { transpose: true } } },
  };
  const linears = {
    [out]: { transpose: true },
    'model.layers.0.mlp.down_proj': { transpose: true },
    'model.layers.1.mlp.down_proj': { transpose: true },
  };
  assert.equal(causalLmFiles(lm), { linears });
  const bert = readBert(configReader({}, 'test'));
  assert.equal(textEncoderFiles({ ...bert, files: { linears: { [out]: { transpose: true } } } }), {
    linears: { [out]: { transpose: true } },
  });
});

test.run();
