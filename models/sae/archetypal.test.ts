/** @file The archetypal SAE: gradients, atoms that stay near the convex hull, centroids, the form that is kept. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import { readSaeLens } from '../../harness/checkpoints/layouts/saelens.ts';
import { checkpointMethod } from '../../harness/checkpoints/method.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { checkLossGradients, randomValues, stepState } from '../../harness/testing/loss-gradients.ts';
import { sparseData } from '../../harness/testing/sparse-data.ts';
import { withDefaults } from '../../harness/train/options.ts';
import { trainSae } from '../../harness/train.ts';
import definition from './archetypal.ts';
import { kMeans } from './shared/k-means.ts';
import { toDense } from './shared/threshold-codes.ts';

const test = suite('sae archetypal');
test.before(async () => {
  await initBackend('wasm');
});

const options = (hp: Record<string, unknown> = {}) =>
  withDefaults<Parameters<typeof definition.validate & {}>[1]>(definition.hyperparameters, hp, 'option');

test('gradients of the loss are those of finite differences', () => {
  const shapes = { W_enc: [3, 5], b_enc: [5], W: [5, 4], Lambda: [5, 3], s: [], x: [4, 3], C: [4, 3], size: [] };
  const { x, C, size, ...params } = randomValues(shapes, 'archetypal');
  checkLossGradients(definition, options({ k: 2 }), params, { x: x! }, { C: C!, size: size! });
});

test('the codes of training are those of inference, at the start parts of the atoms', () => {
  tf.tidy(() => {
    const rng = createRng('codes');
    const sample = tf.tensor2d(rng.fillNormal(new Float32Array(400 * 3)), [400, 3]) as Tensor2D;
    const shape = { d_in: 3, d_sae: 12, d_out: 3 };
    const hp = options({ k: 12 });
    const { params, buffers } = definition.init(shape, hp, { rng, sample, targetSample: sample });
    const lengths = tf.norm(params['W_enc']!, 'euclidean', 0);
    allclose(lengths.dataSync(), new Array(12).fill(1), { rtol: 1e-5 });
    const state = stepState(12, buffers!);
    const { codes } = definition.loss(params, { x: sample, target: sample }, state, hp);
    const folded = definition.toInference!(params, state, hp);
    const inferred = definition.encode(folded, sample, hp);
    allclose(toDense(inferred).dataSync(), toDense(codes).dataSync(), { rtol: 1e-4, atol: 1e-5 });
    // An atom as the input gives itself its length over the mean one; in the harmonic mean over atoms this is 1.
    const atoms = folded['W_dec'] as Tensor2D;
    const own = toDense(definition.encode(folded, atoms, hp)).arraySync() as number[][];
    const inverse = own.reduce((sum, row, i) => sum + 1 / row[i]!, 0) / own.length;
    assert.ok(Math.abs(inverse - 1) < 1e-4, `${inverse}`);
  });
});

test('centroids: the clusters of data that has some, and the same for the same seed', () => {
  tf.tidy(() => {
    const rng = createRng('clusters');
    const centres = [
      [5, 0],
      [0, 5],
      [-5, -5],
    ];
    const rows = Array.from({ length: 300 }, (_, i) => centres[i % 3]!.map((value) => value + 0.1 * rng.normal()));
    const sample = tf.tensor2d(rows) as Tensor2D;
    const found = kMeans(sample, 3, createRng(1)).arraySync() as number[][];
    const again = kMeans(sample, 3, createRng(1)).arraySync() as number[][];
    assert.equal(found, again);
    const errors = kMeans(sample, 12, createRng(1));
    for (const centre of centres) {
      const distances = (errors.arraySync() as number[][]).map((c) =>
        Math.hypot(c[0]! - centre[0]!, c[1]! - centre[1]!),
      );
      assert.ok(Math.min(...distances) < 0.3, 'each cluster has a centroid of many');
    }
    assert.ok(Number.isFinite(tf.sum(errors).dataSync()[0]!), 'centroids without rows stay');
  });
});

test('trained: rows on the simplex, relaxation within its ball, and kept as a TopK SAE', async () => {
  const { set, d } = sparseData({ n: 2000 });
  const hp = { k: 2, centroids: 20, delta: 0.1 };
  const train = (steps: number) =>
    trainSae(definition, { activations: set, d_sae: 32, hp, training: { tokens: steps * 128, batchSize: 128 } });
  const trained = await train(60);
  const state = trained.state();
  assert.equal(Object.keys(state.tensors).sort(), ['W_dec', 'W_enc', 'b_dec', 'b_enc']);
  assert.equal([...state.tensors['b_dec']!.data], new Array(d).fill(0));
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-archetypal-'));
  await trained.writeSaeLens(folder);
  const copy = checkpointMethod(await readSaeLens(folder));
  const x = tf.tensor2d(await set.read(0, 100), [100, d]) as Tensor2D;
  tf.tidy(() => {
    const [own, read] = [trained.method.encode!(x), copy.encode!(x)];
    allclose(toDense(read).dataSync(), toDense(own).dataSync(), { rtol: 1e-4, atol: 1e-4 });
    allclose(copy.decode!(read).dataSync(), trained.method.decode!(own).dataSync(), { rtol: 1e-4, atol: 1e-4 });
  });
  x.dispose();
  copy.dispose();
  trained.dispose();
  await rm(folder, { recursive: true });
});

test('projection: non-negative rows of sum 1, and nothing beyond the radius', () => {
  tf.tidy(() => {
    const rng = createRng('projection');
    const random = (n: number, m: number) => tf.tensor2d(rng.fillNormal(new Float32Array(n * m)), [n, m]) as Tensor2D;
    const params = { W: random(6, 4), Lambda: random(6, 9), s: tf.scalar(0) };
    const made = definition.afterStep!(params, undefined as never, options({ delta: 0.5 }));
    const W = made['W'] as Tensor2D;
    assert.ok(tf.min(W).dataSync()[0]! >= 0);
    for (const [i, sum] of [...tf.sum(W, 1).dataSync()].entries()) {
      const empty = (params.W.arraySync() as number[][])[i]!.every((value) => value <= 0);
      assert.ok(Math.abs(sum - (empty ? 0 : 1)) < 1e-5, String(sum));
    }
    const norms = [...tf.norm(made['Lambda']!, 2, 1).dataSync()];
    const before = [...tf.norm(params.Lambda, 2, 1).dataSync()];
    norms.forEach((norm, i) => {
      assert.ok(Math.abs(norm - Math.min(0.5, before[i]!)) < 1e-5);
    });
  });
});

test('options out of range are refused in one line', async () => {
  assert.throws(
    () => definition.validate!({ d_in: 4, d_sae: 8, d_out: 4 }, options({ k: 9 })),
    /^sae archetypal: k: expected/,
  );
  const few = memorySet(createRng('few').fillNormal(new Float32Array(10 * 4)), 4);
  try {
    await trainSae(definition, { activations: few, d_sae: 16, hp: { k: 1, centroids: 11 }, training: { tokens: 10 } });
    assert.unreachable();
  } catch (error) {
    assert.match(
      String((error as Error).message),
      /^sae archetypal: centroids: expected at most 10, the training activations that they are made of; found 11\.$/,
    );
  }
});

test.run();
