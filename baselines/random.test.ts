import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FitContext, tf } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import random from './random.ts';

const test = suite('baselines/random');
test.before(async () => {
  await initBackend('wasm');
});

const fit = (seed: number, count = 0) =>
  random.fit({
    options: { count },
    rng: createRng(seed),
    activations: memoryActivations([[[1, 2, 3]]]),
    site: 'site',
    progress: () => {},
  } satisfies FitContext<{ count: number }>);

test('4 · d_in unit rows, dot products as codes, the same for the same seed', async () => {
  const state = await fit(1);
  const { shape, data } = state.tensors['directions']!;
  assert.equal(shape, [12, 3]);
  for (let row = 0; row < 12; row++) {
    assert.ok(Math.abs(Math.hypot(...data.subarray(row * 3, row * 3 + 3)) - 1) < 1e-6);
  }
  assert.equal(await fit(1), state);
  assert.not.equal((await fit(2)).tensors, state.tensors);

  const before = tf.memory().numTensors;
  const method = random.restore(state, { d_in: 3, options: { count: 0 } });
  const x = tf.tensor2d([1, 2, 3], [1, 3]);
  const codes = method.encode!(x);
  const values = await codes.values.data();
  assert.ok(Math.abs(values[5]! - (data[15]! + 2 * data[16]! + 3 * data[17]!)) < 1e-5);
  assert.is(method.decode, undefined);
  tf.dispose([x, codes.values]);
  method.dispose();
  assert.is(tf.memory().numTensors, before);
});

test('every concept has its own steering direction, whatever the order of asking', async () => {
  const state = JSON.parse(JSON.stringify(await fit(3)));
  state.tensors.directions.data = (await fit(3)).tensors['directions']!.data;
  const method = random.restore(state, { d_in: 3, options: { count: 0 } });
  const ask = (id: string) => method.detector!({ id, label: id })!.direction!;
  const [a, b] = [ask('a'), ask('b')];
  assert.equal(ask('a'), a);
  assert.not.equal(a, b);
  assert.ok(Math.abs(Math.hypot(...a) - 1) < 1e-6);
  method.dispose();
});

test('the mean dot product of two directions in high dimension is about zero', async () => {
  const state = await random.fit({
    options: { count: 200 },
    rng: createRng(0),
    activations: memoryActivations([[Array.from({ length: 64 }, () => 1)]]),
    site: 'site',
    progress: () => {},
  });
  const { data } = state.tensors['directions']!;
  let sum = 0;
  for (let i = 0; i < 100; i++) for (let k = 0; k < 64; k++) sum += data[i * 64 + k]! * data[(i + 100) * 64 + k]!;
  // Standard deviation of the mean of 100 cosines in 64 dimensions: 1/8/10.
  assert.ok(Math.abs(sum / 100) < 0.05);
});

test('a negative count is refused', async () => {
  assert.match(await refusal(fit(1, -3)), /random: count must be a positive integer, found -3/);
});

test.run();
