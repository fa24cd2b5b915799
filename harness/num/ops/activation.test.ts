/** @file Activation functions, plain and gated, against their definitions in float64 and central differences, on every backend. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { checkGradient } from '../finite-difference.ts';
import { type Scalar, type Tensor, tf } from '../tf.ts';
import { type Activation, activation } from './activation.ts';

const test = suite('num/ops/activation');
const backends = await testBackends();

/** Φ by its series, Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/15 + …): exact enough for |x| ≤ 6. */
function cumulativeNormal(x: number): number {
  let [term, sum] = [x, x];
  for (let i = 1; i < 200; i++) {
    term *= (x * x) / (2 * i + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}

const DEFINITIONS: Record<Activation, (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  gelu: (x) => x * cumulativeNormal(x),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};
const points = Array.from({ length: 41 }, (_, i) => (i - 20) / 4);
const weight = (i: number) => ((i * 7) % 11) / 5 - 1;
const weighted = (y: Tensor): Scalar =>
  tf.sum(
    tf.mul(
      y,
      points.map((_, i) => weight(i)),
    ),
  );

for (const backend of backends) {
  for (const [kind, f] of Object.entries(DEFINITIONS) as [Activation, (x: number) => number][]) {
    test(`${backend}: ${kind} and its gradient`, async () => {
      await initBackend(backend);
      const x = { shape: [41], values: points };
      tf.tidy(() =>
        allclose(activation(tf.tensor1d(points), kind).dataSync(), points.map(f), { rtol: 1e-5, atol: 1e-6 }),
      );
      const reference = (values: number[]) => values.reduce((sum, value, i) => sum + weight(i) * f(value), 0);
      checkGradient((values) => weighted(activation(values, kind)), reference, [x]);
    });

    test(`${backend}: ${kind}, gated, and both gradients`, async () => {
      await initBackend(backend);
      const up = { shape: [41], values: points.map((_, i) => Math.cos(i)) };
      const reference = (gate: number[], other: number[]) =>
        gate.reduce((sum, value, i) => sum + weight(i) * f(value) * other[i]!, 0);
      const op = (gate: Tensor, other: Tensor) => weighted(activation(gate, kind, other));
      checkGradient(op as never, reference, [{ shape: [41], values: points }, up]);
    });

    test(`${backend}: ${kind} far out, at 0 and of nothing`, async () => {
      await initBackend(backend);
      tf.tidy(() => {
        assert.equal([...activation(tf.tensor1d([200, 0]), kind).dataSync()], [200, 0]);
        assert.ok(Math.abs(activation(tf.tensor1d([-200]), kind).dataSync()[0]!) === 0);
        assert.ok(Number.isNaN(activation(tf.tensor1d([Number.NaN]), kind).dataSync()[0]));
        assert.equal(activation(tf.zeros([0, 3]), kind).shape, [0, 3]);
      });
    });
  }
}

test.run();
