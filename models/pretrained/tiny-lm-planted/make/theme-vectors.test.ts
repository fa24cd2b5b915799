/** @file What tiny-lm-planted is trained with: where a document has shown its theme, and the loss that reads and writes themes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NamedTensors, Rng } from '../../../../harness/contract.ts';
import { createRng, loadTokenizer } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { tf } from '../../../../harness/num/tf.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { causalLmTokenLosses } from '../../../subjects/causal-lm.ts';
import { configReader } from '../../../subjects/config.ts';
import { initCausalLm } from '../../../subjects/init.ts';
import { readLlama } from '../../../subjects/llama.ts';
import { type DocumentBatch, freshBatches } from './documents.ts';
import { initThemeVectors, lossWithThemes, THEME_SITE, withoutThemeVectors } from './theme-vectors.ts';

const test = suite('models/pretrained/tiny-lm-planted');
test.before(async () => {
  await initBackend('wasm');
});

const SMALL = readLlama(
  configReader(
    {
      hidden_size: 8,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      intermediate_size: 12,
      num_hidden_layers: 4,
      vocab_size: 10,
      tie_word_embeddings: true,
    },
    'test',
  ),
);
/** Two documents; the second is two tokens shorter. */
const BATCH: DocumentBatch = {
  n: 2,
  length: 5,
  ids: Int32Array.from([1, 3, 5, 7, 2, 1, 4, 2, 0, 0]),
  mask: Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
  themes: [2, 0],
  shownAt: [2, 1],
};
const THEMES = 3;

/** An rng whose uniform draws are these, in turn. */
const scripted = (...values: number[]): Rng => ({ uniform: () => values.shift()! }) as unknown as Rng;

function params(): NamedTensors {
  return { ...initCausalLm(SMALL, createRng(1)), ...initThemeVectors(THEMES, 8, createRng(2)) };
}

test('a row’s theme is shown at the token that ends its first aside', async () => {
  const world = createTextWorld();
  const tokenizer = await loadTokenizer(new URL('..', import.meta.url).pathname);
  const options = { size: 4, maxLength: 160, lesson: () => 0 };
  const batch = freshBatches(world, tokenizer, createRng('rows'), options).next().value as DocumentBatch;
  for (let row = 0; row < batch.n; row++) {
    const ids = [...batch.ids.subarray(row * batch.length, (row + 1) * batch.length)];
    const until = tokenizer.decode(ids.slice(0, batch.shownAt[row]! + 1), { skipSpecialTokens: true });
    const { asides } = world.concepts[batch.themes[row]!]!.spec;
    assert.ok(
      asides.some((aside) => until.endsWith(aside)),
      until,
    );
  }
});

test('nobody told: the tokens’ loss and the reading loss, by hand', () => {
  const all = params();
  const value = lossWithThemes(all, SMALL, BATCH, scripted(0.9, 0.9));
  const { losses, captured } = causalLmTokenLosses(all, SMALL, BATCH, { capture: [THEME_SITE] });
  const x = captured[THEME_SITE]!.arraySync();
  const vectors = (all['theme_vectors']!.arraySync() as number[][]).map((v) => v.map((a) => a / Math.hypot(...v)));
  const tokens = [
    [0, 2],
    [0, 3],
    [0, 4],
    [1, 1],
    [1, 2],
  ] as const;
  const reading = tokens.map(([row, column]) => {
    const products = vectors.map((v) => v.reduce((sum, a, j) => sum + a * x[row]![column]![j]!, 0));
    return Math.log(products.reduce((sum, p) => sum + Math.exp(p), 0)) - products[BATCH.themes[row]!]!;
  });
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v / values.length, 0);
  const expected = mean([...losses.dataSync()]) + 0.2 * mean(reading);
  assert.ok(Math.abs(value.dataSync()[0]! - expected) < 1e-5);
  tf.dispose([all, value, losses, captured]);
});

test('who is told has its theme’s unit vector added at every position, and is not read', () => {
  const all = params();
  // Both told, with the middle of the factors: 16 long. Nobody is left to be read.
  const value = lossWithThemes(all, SMALL, BATCH, scripted(0.1, 0.5, 0.1, 0.5));
  const expected = tf.tidy(() => {
    const unit = tf.div(all['theme_vectors']!, tf.norm(all['theme_vectors']!, 2, 1, true));
    const added = tf.expandDims(tf.mul(tf.gather(unit, tf.tensor1d([2, 0], 'int32')), 16), 1);
    const interventions = [{ site: THEME_SITE, apply: (x: Parameters<typeof tf.add>[0]) => tf.add(x, added) as never }];
    return tf.mean(causalLmTokenLosses(all, SMALL, BATCH, { interventions }).losses);
  });
  assert.ok(Math.abs(value.dataSync()[0]! - expected.dataSync()[0]!) < 1e-5);
  tf.dispose([all, value, expected]);
});

test('the vectors are no part of the model', () => {
  const all = params();
  const model = withoutThemeVectors(all);
  assert.equal(
    Object.keys(all).filter((name) => !(name in model)),
    ['theme_vectors'],
  );
  const { losses } = causalLmTokenLosses(model, SMALL, BATCH);
  assert.equal(losses.shape, [6]);
  tf.dispose([all, losses]);
});

test.run();
