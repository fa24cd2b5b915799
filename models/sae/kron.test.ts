/** @file KronSAE: every backend against dense float64, gradients, order of rows, options, files. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrainState } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { checkGradient } from '../../harness/num/finite-difference.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type NamedTensors, type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from '../../harness/num/tf.ts';
import { assertComesBack, assertFolds } from '../../harness/testing/sae-inference.ts';
import { sparseData } from '../../harness/testing/sparse-data.ts';
import { testBackends } from '../../harness/testing/test-backends.ts';
import { trainSae } from '../../harness/train.ts';
import kron from './kron.ts';
import { toDense } from './shared/threshold-codes.ts';

const test = suite('kron sae');
const backends = await testBackends();
const [rows, d, heads, m, n, k] = [9, 4, 3, 2, 5, 4];
const d_sae = heads * m * n;
const hp = { k, m, n, heads: null, auxAlpha: 0, auxK: null };
const SHAPES = { W_base: [d, heads * m], W_extension: [d, heads * n], W_dec: [d_sae, d], b_dec: [d] };
const NAMES = Object.keys(SHAPES) as (keyof typeof SHAPES)[];

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const numbers = (seed: string, size: number) => Array.from(createRng(seed).fillNormal(new Float32Array(size)));
const start = (): number[][] => NAMES.map((name) => numbers(name, sizeOf(SHAPES[name])));
const tensorsOf = (values: number[][]): NamedTensors =>
  Object.fromEntries(NAMES.map((name, i) => [name, tf.tensor(values[i]!, SHAPES[name])]));
const inputs = () => numbers('rows', rows * d);

const state = (dead: number[] = []): TrainState => ({
  ...{ step: 5, steps: 10, tokens: 0, deadCount: dead.length, scalars: {}, rng: createRng(0) },
  dead: tf.tensor1d(Array.from({ length: d_sae }, (_, f) => (dead.includes(f) ? 1 : 0))),
  buffers: { variance: tf.scalar(1.5) },
});

/** All latents of one row after another in float64, then TopK. */
function reference(x: number[], [W_base, W_extension, W_dec, b_dec]: number[][]) {
  const results = Array.from({ length: rows }, (_, row) => {
    const centred = b_dec!.map((bias, c) => x[row * d + c]! - bias);
    const factor = (W: number[], width: number, at: number) =>
      Math.max(
        0,
        centred.reduce((sum, value, c) => sum + value * W[c * width + at]!, 0),
      );
    const latents = Array.from({ length: d_sae }, (_, f) => {
      const [head, i, j] = [Math.floor(f / (m * n)), Math.floor((f % (m * n)) / n), f % n];
      return Math.sqrt(factor(W_base!, heads * m, head * m + i) * factor(W_extension!, heads * n, head * n + j));
    });
    const kth = [...latents].sort((a, b) => b - a)[k - 1]!;
    const codes = latents.map((value) => (value >= kth ? value : 0));
    return {
      codes,
      reconstruction: b_dec!.map((b, c) => b + codes.reduce((s, v, f) => s + v * W_dec![f * d + c]!, 0)),
    };
  });
  const reconstruction = results.flatMap((result) => result.reconstruction);
  const error = reconstruction.reduce((sum, value, p) => sum + (value - x[p]!) ** 2, 0);
  return { codes: results.flatMap((result) => result.codes), reconstruction, total: error / (1.5 * rows * d) };
}

for (const backend of backends) {
  test(`${backend}: codes, reconstruction, loss and gradients are those of the dense float64 reference`, async () => {
    await initBackend(backend);
    const [x, values] = [inputs(), start()];
    const expected = reference(x, values);
    tf.tidy(() => {
      const input = tf.tensor2d(x, [rows, d]);
      const params = tensorsOf(values);
      const codes = kron.encode(params, input, hp);
      allclose(toDense(codes).dataSync(), expected.codes, { rtol: 1e-5, atol: 1e-5 }, 'codes');
      const tolerance = { rtol: 1e-5, atol: 1e-5 };
      allclose(kron.decode(params, codes, hp).dataSync(), expected.reconstruction, tolerance, 'reconstruction');
      const same: typeof codes = { kind: 'dense', values: toDense(codes) };
      allclose(kron.decode(params, same, hp).dataSync(), expected.reconstruction, tolerance, 'dense codes');
    });
    checkGradient(
      (...tensors: Tensor[]) => {
        const params = Object.fromEntries(NAMES.map((name, i) => [name, tensors[i]!]));
        const input = tf.tensor2d(x, [rows, d]);
        return kron.loss(params, { x: input, target: input }, state(), hp).total as Scalar;
      },
      (...moved) => reference(x, moved).total,
      NAMES.map((name, i) => ({ shape: SHAPES[name], values: values[i]! })),
    );
  });

  test(`${backend}: permuted rows give permuted codes, and an even larger k only adds zeros`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const params = tensorsOf(start());
      const x = tf.tensor2d(inputs(), [rows, d]);
      const order = tf.tensor1d([4, 0, 8, 1, 7, 2, 6, 3, 5], 'int32') as Tensor1D;
      const dense = (input: Tensor2D, kept = k) => toDense(kron.encode(params, input, { ...hp, k: kept }));
      assert.equal([...dense(tf.gather(x, order)).dataSync()], [...tf.gather(dense(x), order).dataSync()]);
      const all = kron.encode(params, x, { ...hp, k: d_sae });
      assert.ok(all.kind === 'topk');
      for (const row of all.values.arraySync())
        assert.equal(
          row,
          [...row].sort((a, b) => b - a),
        );
      assert.ok(all.values.dataSync().some((value) => value === 0));
      for (const row of all.indices.arraySync()) assert.is(new Set(row).size, d_sae);
    });
    assert.is(tf.memory().numTensors, before);
  });

  test(`${backend}: AuxK moves the dead latents' parts only`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const params = tensorsOf(start());
      const x = tf.tensor2d(inputs(), [rows, d]);
      const options = { ...hp, auxAlpha: 1, auxK: 3 };
      // Those of the first head.
      const dead = Array.from({ length: m * n }, (_, f) => f);
      const aux = (named: NamedTensors) => kron.loss(named, { x, target: x }, state(dead), options).parts['aux']!;
      const grads = ['W_dec', 'W_base'].map(
        (name) => tf.grad((value) => aux({ ...params, [name]: value }))(params[name]!) as Tensor2D,
      );
      const [ofDecoder, ofBase] = grads.map((grad) => grad.arraySync()) as [number[][], number[][]];
      assert.ok(ofDecoder.slice(m * n).every((row) => row.every((value) => value === 0)));
      assert.ok(ofDecoder.slice(0, m * n).some((row) => row.some((value) => value !== 0)));
      assert.ok(ofBase.every((row) => row.slice(m).every((value) => value === 0)));
      assert.ok(ofBase.some((row) => row.slice(0, m).some((value) => value !== 0)));
    });
  });
}

test('factors at and around 0: no code, no gradient that is not finite', async () => {
  for (const backend of backends) {
    await initBackend(backend);
    tf.tidy(() => {
      const params: NamedTensors = {
        W_base: tf.tensor2d([1, -1, 0, 1e-12], [1, 4]),
        W_extension: tf.tensor2d([1, 1, 1, 1], [1, 4]),
        W_dec: tf.ones([4, 1]),
        b_dec: tf.zeros([1]),
      };
      const options = { ...hp, m: 1, n: 1, k: 4 };
      const x = tf.tensor2d([4], [1, 1]);
      allclose(toDense(kron.encode(params, x, options)).dataSync(), [4, 0, 0, 4e-6], { rtol: 1e-5, atol: 1e-9 });
      const grad = tf
        .grad((W_base) => {
          return kron.loss({ ...params, W_base }, { x, target: x }, { ...state(), dead: tf.zeros([4]) }, options).total;
        })(params['W_base']!)
        .dataSync();
      assert.ok(grad.every(Number.isFinite), `${backend}: ${grad}`);
      assert.equal([grad[1]! + 0, grad[2]! + 0], [0, 0], backend);
    });
  }
});

test('options that do not fit together: one line with expected and found', () => {
  const refused = (options: Partial<Parameters<NonNullable<typeof kron.validate>>[1]>) => () =>
    kron.validate!({ d_in: d, d_sae: 24, d_out: d }, { ...hp, m: 2, n: 4, ...options });
  assert.throws(refused({ n: 5 }), /^sae kron: m, n: expected m · n to divide d_sae = 24, found 2 · 5 = 10; /);
  assert.throws(refused({ heads: 4 }), /^sae kron: heads: expected heads · m · n = d_sae = 24, found 4 · 2 · 4 = 32; /);
  assert.throws(refused({ k: 25 }), /^sae kron: k: expected a whole number from 1 to d_sae = 24, found 25; /);
  refused({ heads: 3 })();
});

test('an input scale is folded: the same reconstruction in the units of the input', () => {
  tf.tidy(() => {
    assertFolds(kron, tensorsOf(start()), hp, tf.tensor2d(inputs(), [rows, d]));
  });
});

test('the decoder starts as the sums of the factors, of unit length', () => {
  tf.tidy(() => {
    const sample = tf.tensor2d(inputs(), [rows, d]);
    const shape = { d_in: d, d_sae, d_out: d };
    const { params } = kron.init(shape, hp, { rng: createRng(0), sample, targetSample: sample });
    const [base, extension, decoder] = ['W_base', 'W_extension', 'W_dec'].map(
      (name) => params[name]!.arraySync() as number[][],
    );
    // Latent 13 of heads of 2 · 5: head 1, i 0, j 3.
    const sum = base!.map((row, c) => row[m]! + extension![c]![n + 3]!);
    const norm = Math.hypot(...sum);
    allclose(
      decoder![13]!,
      sum.map((value) => value / norm),
      { rtol: 1e-5, atol: 1e-6 },
    );
  });
});

test('training explains the data, keeps no tensors, and comes back from our own layout', async () => {
  await initBackend('wasm');
  const { set, d: d_in } = sparseData();
  const before = tf.memory().numTensors;
  const training = { tokens: 40_000, batchSize: 128, lr: 6e-3 };
  const trained = await trainSae(kron, { activations: set, d_sae: 64, hp: { k: 2 }, training });
  assert.ok(trained.curve.at(-1)!.explained_variance > 0.8, String(trained.curve.at(-1)!.explained_variance));
  const x = tf.tensor2d(await set.read(0, 100), [100, d_in]);
  await assertComesBack(kron, trained, x);
  x.dispose();
  trained.dispose();
  assert.is(tf.memory().numTensors, before);
});

test.run();
