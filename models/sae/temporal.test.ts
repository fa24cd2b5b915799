/** @file The temporal SAE: gradients, what the contrast does to neighbours, and data without an order. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import type { SaeBatch } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { openRegistry } from '../../harness/registry.ts';
import { checkMethod } from '../../harness/suite/check-method.ts';
import type { ResolvedMethod } from '../../harness/suite/resolved.ts';
import { asTensors, checkLossGradients, randomValues, stepState } from '../../harness/testing/loss-gradients.ts';
import { withDefaults } from '../../harness/train/options.ts';
import { trainSae } from '../../harness/train.ts';
import { toDense } from './shared/threshold-codes.ts';
import definition from './temporal.ts';

const test = suite('sae temporal');
test.before(async () => {
  await initBackend('wasm');
});

const options = (hp: Record<string, unknown> = {}) =>
  withDefaults<Parameters<typeof definition.loss>[3]>(definition.hyperparameters, hp, 'option');

test('gradients of the loss are those of finite differences', () => {
  const shapes = { W_enc: [3, 6], b_enc: [6], W_dec: [6, 3], b_dec: [3], x: [4, 3], previous: [4, 3] };
  const { x, previous, ...params } = randomValues(shapes, 'temporal 2');
  for (const contrastive of [true, false]) {
    const hp = options({ k: 2, highLevel: 0.5, highLevelWeight: 0.3, temporalAlpha: 0.5, contrastive });
    checkLossGradients(definition, hp, params, { x: x!, previous: previous! }, {});
  }
});

test('only the first group is compared with that of the token before', () => {
  tf.tidy(() => {
    const { x, previous, ...params } = randomValues(
      { W_enc: [3, 8], b_enc: [8], W_dec: [8, 3], b_dec: [3], x: [5, 3], previous: [5, 3] },
      'groups',
    );
    const named = asTensors(params);
    const batch = { ...asTensors({ x: x!, target: x!, previous: previous! }) } as unknown as SaeBatch;
    const hp = options({ k: 3, highLevel: 0.5, contrastive: false, highLevelWeight: 1 });
    const loss = definition.loss(named, batch, stepState(8, {}), hp);
    const codesOf = (rows: Tensor2D) => {
      const other = definition.loss(named, { ...batch, x: rows, target: rows }, stepState(8, {}), hp);
      return tf.slice(toDense(other.codes), [0, 0], [-1, 4]);
    };
    const [now, before] = [codesOf(batch.x), codesOf(batch.previous!)];
    const length = (rows: Tensor2D) => tf.norm(rows, 2, 1);
    const cosine = tf.div(
      tf.sum(tf.mul(batch.x, batch.previous!), 1),
      tf.mul(length(batch.x), length(batch.previous!)),
    );
    const expected = tf.mean(tf.mul(tf.sum(tf.abs(tf.sub(now, before)), 1), cosine));
    allclose(loss.parts['temporal']!.dataSync(), expected.dataSync(), { rtol: 1e-5, atol: 1e-6 });
  });
});

/** Texts whose tokens share a direction, which changes from text to text, beside directions of their own. */
function texts(n: number, length: number, d: number) {
  const rng = createRng('texts');
  const normal = (scale: number) => rng.fillNormal(new Float32Array(d), 0, scale);
  const topics = Array.from({ length: 6 }, () => normal(1));
  const words = Array.from({ length: 20 }, () => normal(1));
  const x = new Float32Array(n * length * d);
  for (let row = 0; row < n * length; row++) {
    const [topic, word] = [topics[Math.floor(row / length) % topics.length]!, words[rng.int(words.length)]!];
    for (let j = 0; j < d; j++) x[row * d + j] = topic[j]! + word[j]!;
  }
  const rows = n * length;
  return memorySet(x, d, {
    bounds: Uint32Array.from({ length: n + 1 }, (_, i) => i * length),
    positions: Uint32Array.from({ length: rows }, (_, row) => row % length),
  });
}

test('the first group comes to change less from token to token than without the term', async () => {
  const [n, length, d] = [120, 16, 12];
  const set = texts(n, length, d);
  /** Cosine of the high-level codes of neighbours. */
  const likeness = async (temporalAlpha: number) => {
    const trained = await trainSae(definition, {
      activations: set,
      heldOut: set,
      d_sae: 40,
      hp: { k: 3, highLevel: 0.5, temporalAlpha },
      training: { tokens: 300 * 64, batchSize: 64 },
    });
    assert.ok(trained.heldOut.length > 0, 'held-out rows are looked at, as for others');
    const rows = tf.tensor2d(await set.read(0, n * length), [n * length, d]) as Tensor2D;
    const found = tf.tidy(() => {
      const high = tf.slice(toDense(trained.method.encode!(rows)), [0, 0], [-1, 20]) as Tensor2D;
      const [now, before] = [tf.slice(high, [1, 0]), tf.slice(high, [0, 0], [n * length - 1, -1])];
      const product = tf.sum(tf.mul(now, before), 1);
      const lengths = tf.mul(tf.norm(now, 2, 1), tf.norm(before, 2, 1));
      const cosine = tf.divNoNan(product, lengths).dataSync();
      const within = [...cosine].filter((_, i) => (i + 1) % length !== 0);
      return within.reduce((sum, value) => sum + value, 0) / within.length;
    });
    rows.dispose();
    trained.dispose();
    return found;
  };
  const [without, with_] = [await likeness(0), await likeness(1)];
  assert.ok(with_ > without + 0.05, `${with_} with, ${without} without`);
});

test('data without order is refused before anything is computed', async () => {
  const registry = openRegistry();
  const method = {
    id: 'temporal',
    name: 'temporal',
    kind: 'sae',
    options: { d_sae: 16, ...options({ k: 2 }) },
  } as unknown as ResolvedMethod;
  const at = async (name: string, modality: 'text' | 'image', kind: 'tokens' | 'pooled') => {
    try {
      await checkMethod(method, {}, { name, d: 8, modality, kind }, registry);
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.is(await at('blocks.1.hook_resid_post', 'text', 'tokens'), 'accepted');
  const expected = 'no order for temporal: expected tokens of texts, each with its predecessor; found';
  assert.is(await at('text.embed', 'text', 'pooled'), `${expected} one row a text at text.embed.`);
  assert.is(await at('vision.embed', 'image', 'pooled'), `${expected} one row an image at vision.embed.`);
  const patches = 'vision.blocks.1.hook_resid_post';
  assert.is(await at(patches, 'image', 'tokens'), `${expected} patches of images at ${patches}.`);
});

test('options out of range are refused in one line', () => {
  const shape = { d_in: 4, d_sae: 4, d_out: 4 };
  assert.throws(
    () => definition.validate!(shape, options({ k: 5 })),
    /^sae temporal: k: expected a number from 1 to d_sae = 4, found 5/,
  );
  assert.throws(
    () => definition.validate!(shape, options({ k: 1, highLevel: 0.1 })),
    /^sae temporal: highLevel: expected at least one of d_sae = 4 latents in the first group, found 0\.1\.$/,
  );
});

test.run();
