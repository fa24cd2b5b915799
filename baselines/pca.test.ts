import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActivationSet, tf } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import pca from './pca.ts';

const test = suite('baselines/pca');
test.before(async () => {
  await initBackend('wasm');
});

const fit = (activations: ActivationSet, components = 0, rows = 65536) =>
  pca.fit({ options: { components, rows }, rng: createRng(0), activations, site: 's', progress: () => {} });

/** 500 points spread 5 along (3, 4)/5 and 1 across, around (10, −20), with a special position in each item. */
function cloud(): ActivationSet {
  const rng = createRng(3);
  const items = Array.from({ length: 500 }, () => {
    const [along, across] = [5 * rng.normal(), rng.normal()];
    return [
      [1e4, -1e4],
      [10 + 0.6 * along - 0.8 * across, -20 + 0.8 * along + 0.6 * across],
    ];
  });
  return memoryActivations(items, { special: [0] });
}

test('finds the axes, the mean and the variances of kept positions', async () => {
  const { tensors } = await fit(cloud());
  const axes = tensors['components']!.data;
  assert.ok(Math.abs(axes[0]! - 0.6) < 0.02 && Math.abs(axes[1]! - 0.8) < 0.02, `${axes}`);
  assert.ok(Math.abs(tensors['mean']!.data[0]! - 10) < 0.5);
  assert.ok(Math.abs(tensors['variances']!.data[0]! / 25 - 1) < 0.15);
  assert.ok(Math.abs(tensors['variances']!.data[1]! - 1) < 0.15);
});

test('all components reconstruct exactly, one component leaves the variance of the other', async () => {
  const set = cloud();
  const x = tf.tensor2d([10, -20, 11, -18, 3, 4], [3, 2]);
  const before = tf.memory().numTensors;
  for (const components of [0, 1]) {
    const method = pca.restore(await fit(set, components), { d_in: 2, options: { components, rows: 100 } });
    assert.is(method.d_sae, components === 0 ? 2 : 1);
    const [codes, error] = tf.tidy(() => {
      const encoded = method.encode!(x);
      if (encoded.kind !== 'dense') throw new Error('dense expected');
      return [encoded.values, tf.sum(tf.square(tf.sub(x, method.decode!(encoded))), 1)];
    });
    const errors = (await error!.data()) as Float32Array;
    assert.equal(codes!.shape, [3, components === 0 ? 2 : 1]);
    if (components === 0) assert.ok(errors.every((value) => value < 1e-6));
    // (11, −18) is (1, 2) from the mean: 2.2 along and 0.4 across.
    else assert.ok(Math.abs(errors[1]! - 0.16) < 0.15, `${errors}`);
    tf.dispose([codes!, error!]);
    method.dispose();
  }
  assert.is(tf.memory().numTensors, before);
  x.dispose();
});

test('components that the rows do not determine are dropped, and that is said', async () => {
  const rng = createRng(1);
  const row = () => Array.from({ length: 6 }, () => 3 + rng.normal());
  // Four rows have three directions to differ in, whatever their number of coordinates.
  const few = await fit(memoryActivations([[row(), row(), row(), row()]]));
  assert.equal(few.tensors['components']!.shape, [3, 6]);
  assert.equal(few.marks, [{ code: 'components-dropped', message: '3 of 6 components dropped: 4 rows determine 3.' }]);
  // The last coordinate is the sum of two others, as float32 numbers are: to the last digits only.
  const dependent = Array.from({ length: 200 }, () => {
    const [a, b, c] = row();
    return [a!, b!, c!, Math.fround(Math.fround(a!) + Math.fround(b!))];
  });
  const summed = await fit(memoryActivations([dependent]));
  assert.equal(summed.tensors['components']!.shape, [3, 4]);
  assert.match(summed.marks![0]!.message, /^1 of 4 components dropped: 200 rows determine 3\.$/);
  // What was asked for is there: nothing to say.
  assert.is((await fit(memoryActivations([dependent]), 2)).marks, undefined);
  assert.is((await fit(cloud())).marks, undefined);
});

test('a dropped component no longer depends on the last digits of the activations', async () => {
  const rng = createRng(2);
  const rows = Array.from({ length: 8 }, () => Array.from({ length: 32 }, () => Math.fround(rng.normal())));
  const nudged = rows.map((row) => row.map((value) => Math.fround(value * (1 + 1e-7 * (rng.uniform() - 0.5)))));
  const [one, other] = await Promise.all([rows, nudged].map((each) => fit(memoryActivations([each]))));
  const [a, b] = [one!, other!].map(({ tensors }) => tensors['components']!.data);
  assert.is(a!.length, 7 * 32);
  a!.forEach((value, i) => {
    assert.ok(Math.abs(value - b![i]!) < 1e-4, `entry ${i}: ${value} and ${b![i]}`);
  });
});

test('more components than d_in are refused before anything is collected', () => {
  const check = (components: number) => pca.validate!({ d_in: 2 }, { components, rows: 9 });
  assert.throws(() => check(3), /components must be at most d_in = 2, found 3/);
  check(2);
});

test('hostile: too few positions, NaN', async () => {
  const hostile: [Promise<unknown>, RegExp][] = [
    [
      fit(
        memoryActivations([
          [
            [1, 2],
            [1, 2],
          ],
        ]),
      ),
      /expected activations that differ, found the same in all of 2 pos/,
    ],
    [fit(memoryActivations([[[1, 2]]])), /at least 2 kept positions, found 1/],
    [fit(memoryActivations([[[1, 2]], [[Number.NaN, 0]]])), /finite/],
  ];
  for (const [attempt, message] of hostile) {
    assert.match(await refusal(attempt), message);
  }
});

test.run();
