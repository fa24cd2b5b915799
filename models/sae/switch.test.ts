/** @file Switch SAE: every backend against dense float64, gradients, order of rows, idle experts, options, files, duplicates. */
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
import { toDense } from './shared/threshold-codes.ts';
import switchSae from './switch.ts';

const test = suite('switch sae');
const backends = await testBackends();
const [n, d, d_sae, experts, k] = [24, 4, 12, 3, 2];
const hp = { k, experts, balance: 0.3 };
const width = d_sae / experts;
const NAMES = ['W_enc', 'W_dec', 'b_dec', 'W_router', 'b_router'] as const;
const SHAPES: Record<(typeof NAMES)[number], number[]> = {
  W_enc: [d, d_sae],
  W_dec: [d_sae, d],
  b_dec: [d],
  W_router: [d, experts],
  b_router: [d],
};

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const numbers = (seed: string, size: number) => Array.from(createRng(seed).fillNormal(new Float32Array(size)));
const start = (): number[][] => NAMES.map((name) => numbers(name, sizeOf(SHAPES[name])));
const tensorsOf = (values: number[][]): NamedTensors =>
  Object.fromEntries(NAMES.map((name, i) => [name, tf.tensor(values[i]!, SHAPES[name])]));
const rowsOf = (values: number[]): number[][] => Array.from({ length: n }, (_, i) => values.slice(i * d, (i + 1) * d));

const state = (): TrainState => ({
  ...{ step: 5, steps: 10, tokens: 0, deadCount: 0, scalars: {}, rng: createRng(0) },
  dead: tf.zeros([d_sae]),
  buffers: { variance: tf.scalar(1.5) },
});

/** One row after another in float64, over the whole encoder and a mask, as the original does it. */
function reference(x: number[][], [W_enc, W_dec, b_dec, W_router, b_router]: number[][]) {
  const rows = x.map((row) => {
    const logits = Array.from({ length: experts }, (_, e) =>
      row.reduce((sum, value, c) => sum + (value - b_router![c]!) * W_router![c * experts + e]!, 0),
    );
    const weights = logits.map(Math.exp);
    const total = weights.reduce((a, b) => a + b);
    const p = weights.map((weight) => weight / total);
    const expert = p.indexOf(Math.max(...p));
    const pre = Array.from({ length: d_sae }, (_, f) =>
      Math.floor(f / width) === expert
        ? Math.max(
            0,
            row.reduce((sum, value, c) => sum + (value - b_dec![c]!) * W_enc![c * d_sae + f]!, 0),
          ) * p[expert]!
        : 0,
    );
    const kth = [...pre].sort((a, b) => b - a)[k - 1]!;
    const codes = pre.map((value) => (value >= kth ? value : 0));
    const reconstruction = b_dec!.map((bias, c) => bias + codes.reduce((sum, v, f) => sum + v * W_dec![f * d + c]!, 0));
    return { p, expert, codes, reconstruction };
  });
  const error = rows.reduce(
    (sum, { reconstruction }, i) => sum + reconstruction.reduce((s, v, c) => s + (v - x[i]![c]!) ** 2, 0),
    0,
  );
  const share = (e: number) => rows.filter(({ expert }) => expert === e).length / x.length;
  const mean = (e: number) => rows.reduce((sum, { p }) => sum + p[e]!, 0) / x.length;
  const imbalance = experts * [...Array(experts).keys()].reduce((sum, e) => sum + share(e) * mean(e), 0);
  const total = error / (1.5 * x.length * d) + hp.balance * imbalance;
  return { rows, total, imbalance };
}

for (const backend of backends) {
  test(`${backend}: codes, reconstruction, loss and gradients are those of the dense float64 reference`, async () => {
    await initBackend(backend);
    const x = numbers('rows', n * d);
    const values = start();
    const expected = reference(rowsOf(x), values);
    assert.is(new Set(expected.rows.map(({ expert }) => expert)).size, experts, 'all experts have rows');
    tf.tidy(() => {
      const input = tf.tensor2d(x, [n, d]);
      const params = tensorsOf(values);
      const codes = switchSae.encode(params, input, hp);
      const flat = (rows: number[][]) => rows.flat();
      allclose(toDense(codes).dataSync(), flat(expected.rows.map((row) => row.codes)), { rtol: 1e-5, atol: 1e-6 });
      const reconstruction = flat(expected.rows.map((row) => row.reconstruction));
      allclose(switchSae.decode(params, codes, hp).dataSync(), reconstruction, { rtol: 1e-5, atol: 1e-5 });
      const loss = switchSae.loss(params, { x: input, target: input }, state(), hp);
      allclose(loss.reconstruction.dataSync(), reconstruction, { rtol: 1e-5, atol: 1e-5 });
      assert.equal([...loss.codes.values.dataSync()], [...codes.values.dataSync()]);
      allclose(loss.parts['imbalance']!.dataSync(), [expected.imbalance], { rtol: 1e-5, atol: 1e-6 });
    });
    checkGradient(
      (...tensors: Tensor[]) => {
        const params = Object.fromEntries(NAMES.map((name, i) => [name, tensors[i]!]));
        const input = tf.tensor2d(x, [n, d]);
        return switchSae.loss(params, { x: input, target: input }, state(), hp).total as Scalar;
      },
      (...moved) => reference(rowsOf(x), moved).total,
      NAMES.map((name, i) => ({ shape: SHAPES[name], values: values[i]! })),
    );
  });

  test(`${backend}: permuted rows give permuted results`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const params = tensorsOf(start());
      const x = tf.tensor2d(numbers('rows', n * d), [n, d]);
      const order = tf.tensor1d(
        Array.from({ length: n }, (_, i) => (7 * i + 3) % n),
        'int32',
      ) as Tensor1D;
      const dense = (rows: Tensor2D) => toDense(switchSae.encode(params, rows, hp));
      const permuted = tf.gather(x, order);
      assert.equal([...dense(permuted).dataSync()], [...tf.gather(dense(x), order).dataSync()]);
      const reconstructed = (rows: Tensor2D) =>
        switchSae.loss(params, { x: rows, target: rows }, state(), hp).reconstruction;
      assert.equal([...reconstructed(permuted).dataSync()], [...tf.gather(reconstructed(x), order).dataSync()]);
    });
    assert.is(tf.memory().numTensors, before);
  });

  test(`${backend}: an expert without rows gets no gradient`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const params = tensorsOf(start());
      // Whatever comes, the last expert's logit is far below the others.
      const far = tf.tensor2d(numbers('W_router', d * experts), [d, experts]).arraySync();
      params['W_router'] = tf.tensor2d(far.map(([a, b], c) => [a!, b!, c === 0 ? -1e3 : 0]));
      params['b_router'] = tf.tensor1d([-100, 0, 0, 0]);
      const x = tf.tensor2d(numbers('rows', n * d), [n, d]);
      const codes = switchSae.encode(params, x, hp);
      assert.ok(codes.kind === 'topk' && codes.indices.dataSync().every((index) => index < 2 * width));
      const grad = tf.grad((W_enc) => {
        const named = { ...params, W_enc: W_enc! };
        return switchSae.loss(named, { x, target: x }, state(), hp).total;
      })(params['W_enc']!) as Tensor2D;
      for (const row of grad.arraySync()) assert.equal(row.slice(2 * width), Array(width).fill(0));
    });
  });
}

test('options that do not fit together: one line with expected and found', () => {
  const refused = (options: Partial<typeof hp>) => () =>
    switchSae.validate!({ d_in: d, d_sae, d_out: d }, { ...hp, ...options });
  assert.throws(refused({ experts: 5 }), /^sae switch: experts: expected a divisor of d_sae = 12, found 5; /);
  assert.throws(refused({ k: 5 }), /^sae switch: k: expected 1 to d_sae \/ experts = 12 \/ 3 = 4, found 5; /);
  refused({ k: 4 })();
  refused({ k: 12, experts: 1 })();
});

test('an input scale is folded: the same reconstruction in the units of the input', () => {
  tf.tidy(() => {
    assertFolds(switchSae, tensorsOf(start()), hp, tf.tensor2d(numbers('rows', n * d), [n, d]));
  });
});

test('the last step counts latents that are alike across experts', () => {
  tf.tidy(() => {
    // Latents 0 and 1 are alike within an expert, 2 and 4 across experts, 11 is like nothing.
    const angles = [0, 0.01, 1, 0.5, 1.02, 1.6, 2.2, 2.8, 3.4, 4, 4.6, 5.3];
    const W_dec = tf.tensor2d(
      angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]),
      [d_sae, 2],
    );
    const at = (step: number, options = hp) => {
      const now = { ...state(), step };
      switchSae.afterStep!({ W_dec }, now, options);
      return now.scalars;
    };
    assert.equal(at(8), {});
    assert.equal(at(9), { duplicates_across_experts: 2 / d_sae });
    assert.equal(at(9, { ...hp, experts: 1 }), { duplicates_across_experts: 0 });
  });
});

test('training finds a dictionary, keeps no tensors, and comes back from our own layout', async () => {
  await initBackend('wasm');
  const { set, d: d_in } = sparseData();
  const before = tf.memory().numTensors;
  const training = { tokens: 60_000, batchSize: 128, lr: 6e-3 };
  const trained = await trainSae(switchSae, { activations: set, d_sae: 64, hp: { k: 2, experts: 2 }, training });
  assert.equal(trained.marks, []);
  assert.ok(trained.curve.at(-1)!.explained_variance > 0.8, String(trained.curve.at(-1)!.explained_variance));
  const x = tf.tensor2d(await set.read(0, 100), [100, d_in]);
  await assertComesBack(switchSae, trained, x);
  x.dispose();
  trained.dispose();
  assert.is(tf.memory().numTensors, before);
});

test.run();
