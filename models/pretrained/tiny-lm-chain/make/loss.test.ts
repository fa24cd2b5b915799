/** @file The training loss against logits: control tokens are never predicted beside words, and are asked for among themselves. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tf } from '../../../../harness/contract.ts';
import { createRng } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { causalLmForward } from '../../../subjects/causal-lm.ts';
import { configReader } from '../../../subjects/config.ts';
import { initCausalLm } from '../../../subjects/init.ts';
import { readMistral } from '../../../subjects/mistral.ts';
import { chainLoss } from './loss.ts';

const test = suite('tiny-lm-chain loss');

test.before(async () => {
  await initBackend();
});

test('text and control tokens by hand, for rows of different lengths', () => {
  const config = {
    ...{ hidden_size: 8, intermediate_size: 12, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 },
    ...{ vocab_size: 9, max_position_embeddings: 16, sliding_window: 3, tie_word_embeddings: true, hidden_act: 'silu' },
    ...{ rms_norm_eps: 1e-5, rope_theta: 10000 },
  };
  const lm = readMistral(configReader(config, 'test'));
  const params = initCausalLm(lm, createRng('loss'));
  // Words are 0 to 5, tags 6 to 8.
  const rows = [
    [1, 4, 7, 3, 2],
    [1, 6, 5],
  ];
  const themes = Int32Array.of(-1, -1, 1, 1, -1, -1, 0, 0, -1, -1);
  const ids = Int32Array.of(...rows[0]!, ...rows[1]!, 0, 0);
  const batch = { n: 2, length: 5, ids, mask: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0), themes };
  const tags = { first: 6, count: 3 };
  const logits = tf.tidy(() => causalLmForward(params, lm, batch).logits!.arraySync() as number[][][]);
  const minusLog = (values: number[], at: number) =>
    Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0)) - values[at]!;
  const text = rows.flatMap((row, r) =>
    row.slice(1).flatMap((id, t) => (id >= 6 ? [] : [minusLog(logits[r]![t]!, id)])),
  );
  const asked = [...themes].flatMap((theme, at) =>
    theme < 0 ? [] : [minusLog(logits[Math.floor(at / 5)]![at % 5]!.slice(6), theme)],
  );
  assert.is(text.length, 4);
  assert.is(asked.length, 4);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const before = tf.memory().numTensors;
  const lossOf = (weight: number) => {
    const loss = chainLoss(params, lm, batch, tags, weight);
    const [value] = loss.dataSync();
    loss.dispose();
    return value!;
  };
  assert.ok(Math.abs(lossOf(0) - mean(text)) < 1e-5);
  assert.ok(Math.abs(lossOf(0.25) - (mean(text) + 0.25 * mean(asked))) < 1e-5);
  assert.is(tf.memory().numTensors, before);
  tf.dispose(params);
});

test.run();
