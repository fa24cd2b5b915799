/** @file The clock of training steps: what it counts, and that it changes nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import topk from '../../models/sae/topk.ts';
import { memorySet } from '../activations/activation-set.ts';
import { initBackend } from '../num/backend.ts';
import { peakBytes } from '../num/peak-bytes.ts';
import { createRng } from '../num/rng.ts';
import { tf } from '../num/tf.ts';
import { trainSae } from '../train.ts';
import { stepClock } from './step-clock.ts';

const test = suite('step clock');
test.before(async () => {
  await initBackend('auto');
});

test('the most bytes at one time, of what is freed again too; an error comes through and leaves nothing behind', () => {
  const before = tf.memory().numBytes;
  const { value, bytes } = peakBytes(() =>
    tf.tidy(() => tf.sum(tf.add(tf.zeros([1000]), tf.ones([1000]))).dataSync()[0]),
  );
  assert.is(value, 1000);
  // Zeros, ones, their sum and its sum, four bytes each.
  assert.is(bytes - before, 4 * 3001);
  const broken = () =>
    peakBytes(() => {
      throw new RangeError('broken');
    });
  assert.throws(broken, /broken/);
  const held = tf.zeros([10]);
  assert.is(tf.memory().numBytes - before, 40);
  assert.is(Object.getOwnPropertyDescriptor(tf.engine().state, 'numBytes')!.get, undefined);
  held.dispose();
});

test('times all steps but the one that it looks at', () => {
  const clock = stepClock(10);
  assert.is(clock.speed(), undefined);
  for (let step = 0; step < 8; step++)
    assert.is(
      clock.time(() => step),
      step,
    );
  const { tokensPerSecond, peakBytes: peak } = clock.speed()!;
  assert.is(tokensPerSecond.steps, 7);
  assert.ok(tokensPerSecond.ci95![0] <= tokensPerSecond.value && tokensPerSecond.value <= tokensPerSecond.ci95![1]);
  assert.is(peak, 0);
});

test('a training says how fast it was and what it took: weights, gradients and moments at least', async () => {
  const x = createRng(0).fillNormal(new Float32Array(400 * 8));
  const activations = memorySet(x, 8);
  const before = tf.memory().numTensors;
  const options = { activations, d_sae: 32, hp: { k: 2 }, training: { tokens: 640, batchSize: 64 } };
  const trained = await trainSae(topk, options);
  const { tokensPerSecond, peakBytes: peak } = trained.speed!;
  assert.is(tokensPerSecond.steps, 9);
  const parameters = 2 * 8 * 32 + 32 + 8;
  assert.ok(peak! > 4 * 4 * parameters && peak! < 4 * 100 * parameters, `${peak}`);
  assert.equal(trained.method.cost, {
    ...{ parameters, bytes: 4 * parameters, macs: { encode: 8 * 32, decode: 2 * 8 } },
  });
  trained.dispose();
  assert.is(tf.memory().numTensors, before);
});

test.run();
