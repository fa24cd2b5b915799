import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ActivationSet, createRng, tf, UserError } from '../harness/contract.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
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

test('more components than d_in are refused before anything is collected', () => {
  const check = (components: number) => pca.validate!({ d_in: 2 }, { components, rows: 9 });
  assert.throws(() => check(3), /components must be at most d_in = 2, found 3/);
  check(2);
});

test('hostile: too few positions, NaN', async () => {
  const hostile: [Promise<unknown>, RegExp][] = [
    [fit(memoryActivations([[[1, 2]]])), /at least 2 kept positions, found 1/],
    [fit(memoryActivations([[[1, 2]], [[Number.NaN, 0]]])), /finite/],
  ];
  for (const [attempt, message] of hostile) {
    try {
      await attempt;
      assert.unreachable();
    } catch (error) {
      assert.instance(error, UserError);
      assert.match((error as Error).message, message);
    }
  }
});

test.run();
