/** @file Selection over a batch on rows of very different norms: the start of a run, and what a short one reaches. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import { type SaeDefinition, type Tensor1D, tf } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { trainSae } from '../../harness/train.ts';
import batchtopk from './batchtopk.ts';

const test = suite('models/sae/uneven-norms');
test.before(async () => {
  await initBackend('wasm');
});

const [D, FEATURES, ACTIVE] = [16, 64, 4];

/** Rows of a few features each, times a log-normal length with deviation σ of its logarithm. */
function unevenRows(n: number, sigma: number, seed: number): Float32Array {
  const directions = createRng(1).fillNormal(new Float32Array(FEATURES * D));
  const rng = createRng(seed).fork('rows');
  const x = new Float32Array(n * D);
  for (let row = 0; row < n; row++) {
    const length = Math.exp(sigma * rng.normal());
    for (let i = 0; i < ACTIVE; i++) {
      const feature = Math.floor(FEATURES * rng.uniform());
      for (let j = 0; j < D; j++) x[row * D + j]! += length * directions[feature * D + j]!;
    }
  }
  return x;
}

/** Explained variance of training batches from the first step on. */
async function training(norms: 'even' | 'uneven', rows: Float32Array, steps: number): Promise<number[]> {
  const seen: number[] = [];
  const trained = await trainSae(batchtopk as unknown as SaeDefinition<never>, {
    ...{ activations: memorySet(rows, D), d_sae: 256, hp: { k: 8, norms } },
    training: { batchSize: 128, tokens: 128 * steps },
    onProgress: ({ explained_variance }) => seen.push(explained_variance),
  });
  trained.dispose();
  return seen;
}

test('on rows of uneven norms a start that is meant for them is no worse than the mean; the usual one is', async () => {
  const rows = unevenRows(4096, 1, 2);
  const [[fitted], [usual]] = [await training('uneven', rows, 2), await training('even', rows, 2)];
  assert.ok(fitted! > 0, `${fitted}`);
  assert.ok(usual! < 0, `${usual}`);
});

test('the first reconstruction has the length that fits best, at any norms; all-zero rows leave the encoder as it is', () => {
  for (const sigma of [0, 1, 2]) {
    tf.tidy(() => {
      const sample = tf.tensor2d(unevenRows(512, sigma, 3), [512, D]);
      const shape = { d_in: D, d_out: D, d_sae: 256 };
      const hp = { k: 8, auxAlpha: 0, auxK: null, deadBias: 0, norms: 'uneven' as const };
      const env = { rng: createRng(0), sample, targetSample: sample };
      const { params, buffers = {} } = batchtopk.init(shape, hp, env);
      const state = { buffers, deadCount: 0, scalars: {} } as never;
      const { reconstruction } = batchtopk.loss(params, { x: sample, target: sample } as never, state, hp);
      const first = tf.sub(reconstruction!, params['b_dec'] as Tensor1D);
      const left = tf.sub(sample, reconstruction!);
      const [along, squared] = [left, first].map((other) => tf.sum(tf.mul(other, first)).dataSync()[0]!);
      assert.ok(Math.abs(along!) < 1e-3 * squared!, `σ = ${sigma}: ${along} of ${squared}`);
    });
  }
  tf.tidy(() => {
    const zeros = tf.zeros([8, D]) as ReturnType<typeof tf.tensor2d>;
    const env = { rng: createRng(0), sample: zeros, targetSample: zeros };
    const { params } = batchtopk.init({ d_in: D, d_out: D, d_sae: 32 }, { k: 2, norms: 'uneven' } as never, env);
    assert.ok((params['W_enc']!.dataSync() as Float32Array).some((value) => value !== 0));
    assert.ok((params['W_enc']!.dataSync() as Float32Array).every(Number.isFinite));
  });
});

test('where norms are uneven the learning rate falls with the width of inputs, to an eighth, and every gradient is clipped', () => {
  const run = { tokens: 200_000, batchSize: 1024, steps: 195, usualSteps: 1562 };
  const recipe = (d_in: number, norms: 'even' | 'uneven') => {
    const hp = { k: 64, auxAlpha: 0, auxK: null, deadBias: 0, norms };
    return batchtopk.training!({ d_in, d_out: d_in, d_sae: 4096 }, hp, run);
  };
  const part = (d_in: number) => recipe(d_in, 'uneven').lr! / recipe(d_in, 'even').lr!;
  assert.is(part(16), 1);
  assert.ok(Math.abs(part(128) - 24 / 128) < 1e-9);
  assert.is(part(768), 1 / 8);
  assert.is(recipe(768, 'even').lr, recipe(128, 'even').lr);
  assert.is(recipe(128, 'even').clip, 1);
  assert.ok(recipe(128, 'uneven').clip! <= 1e-3);
});

test.run();
