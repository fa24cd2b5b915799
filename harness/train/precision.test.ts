/** @file Training in precision bf16: which products round their factors, what stays float32, and that a trained SAE is as good. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import jumprelu from '../../models/sae/jumprelu.ts';
import relu from '../../models/sae/relu.ts';
import topk from '../../models/sae/topk.ts';
import type { SaeDefinition } from '../contract.ts';
import { bfloatToFloat, floatToBfloat } from '../io/float16.ts';
import { initBackend } from '../num/backend.ts';
import { inTraining, type Precision, roundsFactors } from '../num/precision.ts';
import { createRng } from '../num/rng.ts';
import { type Tensor, type Tensor2D, tf } from '../num/tf.ts';
import { sparseData } from '../testing/sparse-data.ts';
import { trainSae } from '../train.ts';

const test = suite('training in bf16');
const served = await initBackend('native', 'bf16').then(
  () => true,
  () => false,
);
const rng = createRng('precision');
const matrix = (rows: number, columns: number) =>
  tf.tensor2d(rng.fillNormal(new Float32Array(rows * columns)), [rows, columns]);
const valuesOf = (x: Tensor) => x.dataSync() as Float32Array;
const bits = (x: Tensor) => new Int32Array(valuesOf(x).slice().buffer);
const rounded = (x: Tensor2D) => tf.tensor2d(bfloatToFloat(floatToBfloat(valuesOf(x))), x.shape);

/** What training reads of a product: itself, by both kernels, and the gradients of both factors. */
function products(a: Tensor2D, b: Tensor2D): Tensor2D[] {
  const bias = tf.zeros([b.shape[1]]);
  const grads = tf.grads((x: Tensor, y: Tensor) => tf.sum(tf.mul(tf.matMul(x as Tensor2D, y as Tensor2D), 0.5)));
  const fused = tf.fused.matMul({ a, b, bias, activation: 'relu' }) as Tensor2D;
  return [tf.matMul(a, b), fused, ...(grads([a, b]) as Tensor2D[])];
}

if (!served) test('skipped: no products of bfloat16 here', () => undefined);
else {
  test('within training products round their factors and their gradients do; outside, and of narrow ones, none does', async () => {
    await initBackend('native');
    const [a, b] = [matrix(40, 50), matrix(50, 33)];
    const exact = products(a, b).map(bits);
    assert.equal(inTraining(() => products(a, b)).map(bits), exact, 'float32 is float32');
    await initBackend('native', 'bf16');
    assert.equal(products(a, b).map(bits), exact, 'outside of training');
    const found = inTraining(() => products(a, b));
    const expected = products(rounded(a), rounded(b));
    found.forEach((x, i) => {
      const off = valuesOf(tf.max(tf.abs(tf.sub(x, expected[i]!))))[0]!;
      assert.ok(off < 1e-4, `${i}: off by ${off}`);
      assert.not.equal(bits(x), exact[i], `${i}: not rounded`);
    });
    for (const [m, k, n] of [
      [31, 50, 33],
      [40, 31, 33],
      [40, 50, 31],
    ] as const) {
      const [x, y] = [matrix(m, k), matrix(k, n)];
      assert.equal(bits(inTraining(() => tf.matMul(x, y))), bits(tf.matMul(x, y)), `${m}, ${k}, ${n}`);
    }
  });

  test('what fails within training leaves no products rounded behind it', () => {
    assert.throws(() =>
      inTraining(() => {
        assert.ok(roundsFactors());
        throw new Error('stop');
      }),
    );
    assert.not(roundsFactors());
  });

  const { set: activations } = sparseData({ n: 1024, d: 48, features: 64, active: 4 });
  async function curveOf(definition: SaeDefinition<unknown>, hp: Record<string, unknown>, precision: Precision) {
    await initBackend('native', precision);
    const training = { tokens: 8192, batchSize: 256 };
    const { curve, method } = await trainSae(definition, { activations, d_sae: 96, hp, training });
    method.dispose();
    return curve;
  }
  for (const [definition, hp] of [
    [relu, { targetL0: 6 }],
    [jumprelu, { targetL0: 6 }],
    [topk, { k: 6 }],
  ] as [SaeDefinition<unknown>, Record<string, unknown>][]) {
    test(`${definition.id}: the same numbers twice, about those of float32; sparse roads alone have its bits`, async () => {
      const [exact, once, again] = [
        await curveOf(definition, hp, 'float32'),
        await curveOf(definition, hp, 'bf16'),
        await curveOf(definition, hp, 'bf16'),
      ];
      assert.equal(once, again);
      if (definition.id === 'topk') return assert.equal(once, exact);
      assert.not.equal(once, exact);
      const [mixed, whole] = [once.at(-1)!, exact.at(-1)!];
      const difference = Math.abs(mixed.explained_variance - whole.explained_variance);
      assert.ok(
        difference < 0.02,
        `explained variance ${mixed.explained_variance}, in float32 ${whole.explained_variance}`,
      );
      assert.ok(Math.abs(mixed.l0 / whole.l0 - 1) < 0.1, `L0 ${mixed.l0}, in float32 ${whole.l0}`);
    });
  }
}

test.run();
