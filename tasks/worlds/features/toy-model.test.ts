/** @file The toy model of superposition: the dimensionalities of the paper come out of training, and sets go together. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../../../harness/num/backend.ts';
import { featureDimensionality } from '../../../harness/num/metrics/superposition.ts';
import { createRng } from '../../../harness/num/rng.ts';
import { tf } from '../../../harness/num/tf.ts';
import { drawToyFeatures, type ToyConfig, toyBatch } from './toy.ts';
import { createToyWorld, trainToyModel } from './toy-model.ts';

const test = suite('toy superposition');
test.before(async () => {
  await initBackend('auto');
});

const BASE: ToyConfig = {
  ...{ features: 5, d: 2, density: 0.05, importance: 1, together: 'independent', set: 1 },
  ...{ steps: 800, batch: 256, lr: 0.01, relu: true },
};

/** Dimensionalities of a trained model, the smallest first. */
async function trained(config: Partial<ToyConfig>, seed = 0): Promise<number[]> {
  const { directions } = await trainToyModel({ ...BASE, ...config }, createRng(seed));
  return [...featureDimensionality(directions, config.d ?? BASE.d)].sort((a, b) => a - b);
}

function near(found: number[], expected: number[], tolerance = 0.02): void {
  const shown = found.map((value) => value.toFixed(3)).join(' ');
  assert.is(found.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i]! - value) < tolerance, shown);
}

const times = (n: number, value: number) => new Array<number>(n).fill(value);

test('dense features have a dimension each', async () => {
  near(await trained({ features: 2, density: 1 }), [1, 1]);
});

test('antipodal pairs: 1/2', async () => {
  near(await trained({ features: 4 }), times(4, 1 / 2));
});

test('a pentagon: 2/5', async () => {
  near(await trained({}), times(5, 2 / 5));
});

test('a square antiprism: 3/8', async () => {
  near(await trained({ features: 8, d: 3 }), times(8, 3 / 8));
});

test('a tetrahedron beside a pair: 3/4', async () => {
  near(await trained({ features: 6, d: 4, density: 0.5, batch: 1024 }), [...times(2, 1 / 2), ...times(4, 3 / 4)]);
});

test('a triangle beside a pair and a feature alone: 2/3', async () => {
  const expected = [...times(2, 1 / 2), ...times(3, 2 / 3), 1];
  near(await trained({ features: 6, d: 4, density: 0.5, batch: 1024 }, 5), expected);
});

test('the linear model has no superposition: the most important features, a dimension each', async () => {
  const { directions } = await trainToyModel({ ...BASE, importance: 0.7, relu: false, density: 0.2 }, createRng(0));
  const lengths = Array.from({ length: 5 }, (_, i) => Math.hypot(directions[2 * i]!, directions[2 * i + 1]!));
  assert.ok(
    lengths[0]! > 0.95 && lengths[1]! > 0.95 && lengths.slice(2).every((length) => length < 0.05),
    `${lengths}`,
  );
});

test('correlated features are active together, anti-correlated ones one at a time, all as often as alone', () => {
  for (const together of ['independent', 'correlated', 'anti-correlated'] as const) {
    const config = { ...BASE, features: 6, density: 0.2, together, set: together === 'independent' ? 1 : 3 };
    const draws = createRng(0).fork(together);
    const counts = new Float64Array(6);
    for (let i = 0; i < 5000; i++) {
      const { indices, values } = drawToyFeatures(config, draws);
      for (const feature of indices) counts[feature]!++;
      assert.ok(values.every((value) => value > 0 && value <= 1));
      const first = indices.filter((feature) => feature < 3).length;
      if (together === 'correlated') assert.ok(first === 0 || first === 3);
      if (together === 'anti-correlated') assert.ok(first <= 1);
    }
    assert.ok(
      counts.every((count) => Math.abs(count / 5000 - 0.2) < 0.03),
      `${counts}`,
    );
  }
});

test('a world’s rows are Σ x·W, its directions unit; training leaves no tensor behind', async () => {
  const world = createToyWorld({ ...BASE, steps: 50 }, 3);
  const before = tf.memory().numTensors;
  const directions = await world.directions();
  assert.is(tf.memory().numTensors, before);
  for (let i = 0; i < 5; i++) assert.ok(Math.abs(Math.hypot(directions[2 * i]!, directions[2 * i + 1]!) - 1) < 1e-6);
  const rows = await world.rows(['x', 'y']);
  assert.equal(await world.rows(['y']), rows.subarray(2));
  assert.is(toyBatch(BASE, 3, createRng(0)).length, 15);
});

test.run();
