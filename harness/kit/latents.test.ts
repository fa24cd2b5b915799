import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Codes } from '../contract/sae.ts';
import { initBackend } from '../num/backend.ts';
import { csrToDense } from '../num/csr.ts';
import { type Tensor2D, tf } from '../num/tf.ts';
import { memoryActivations } from '../testing/activations.ts';
import { poolLatents } from './latents.ts';

const test = suite('kit/latents');
test.before(async () => {
  await initBackend('wasm');
});

/** Items of 2, 3 and 1 positions, the first position of each special. */
const set = () =>
  memoryActivations(
    [
      [
        [9, 9],
        [1, -2],
      ],
      [
        [9, 9],
        [-3, 0],
        [-1, 4],
      ],
      [
        [9, 9],
        [0, 0],
      ],
    ],
    { special: [0] },
  );

test('dense codes: both extremes over the kept positions', async () => {
  const before = tf.memory().numTensors;
  const encode = (x: Tensor2D): Codes => ({ kind: 'dense', values: tf.clone(x) });
  const pooled = await poolLatents({ encode, d_sae: 2, sparse: false }, set());
  if (pooled.kind !== 'dense') throw new Error('dense expected');
  assert.equal([...pooled.max], [1, -2, -1, 4, 0, 0]);
  assert.equal([...pooled.min], [1, -2, -3, 0, 0, 0]);
  assert.is(pooled.l0, 5 / 4);
  assert.is(tf.memory().numTensors, before);
});

test('k-sparse codes: an absent latent is 0 there, in either sign', async () => {
  // Each position has one latent: number |x0| mod 3, of value x0.
  const encode = (x: Tensor2D): Codes => {
    const values = tf.slice(x, [0, 0], [-1, 1]) as Tensor2D;
    return { kind: 'topk', indices: tf.mod(tf.abs(values), 3), values, d_sae: 3 };
  };
  const pooled = await poolLatents({ encode, d_sae: 3, sparse: true }, set());
  if (pooled.kind !== 'sparse') throw new Error('sparse expected');
  // Item 1 has latent 0 at −3 and latent 1 at −1, each absent from the other position: maxima 0.
  assert.equal([...csrToDense(pooled.max)], [0, 1, 0, 0, 0, 0, 0, 0, 0]);
});

test('an item without kept positions and a code that is not finite are errors', async () => {
  const dense = (value: number) => ({
    encode: (x: Tensor2D): Codes => ({ kind: 'dense', values: tf.fill([x.shape[0], 1], value) as Tensor2D }),
    d_sae: 1,
    sparse: true,
  });
  const failing = async (run: Promise<unknown>, message: RegExp) => {
    try {
      await run;
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).message, message);
    }
  };
  await failing(poolLatents(dense(1), memoryActivations([[[1]], [[1]]], { special: [0] })), /item 0/);
  await failing(poolLatents(dense(Number.NaN), set()), /latent 0: expected finite/);
});

test.run();
