/** @file Nested reconstructions and their errors against float64, with gradients, on every backend that starts here. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { checkGradient, type Input } from '../finite-difference.ts';
import { createRng } from '../rng.ts';
import { type Tensor1D, type Tensor2D, type Tensor3D, tf } from '../tf.ts';
import { nestedDecode, nestedErrors } from './nested-decode.ts';
import { sparseDecode } from './sparse-decode.ts';
import { squaredError } from './squared-error.ts';

const test = suite('nested decode');
const backends = await testBackends();
const rng = createRng('nested decode');
const normal = (shape: number[]): Input => ({
  shape,
  values: Array.from(rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)))),
});

const [N, K, D, GROUPS] = [3, 4, 5, [1, 3, 6]];
// Not in order, one group missing in a row, a latent of the last group twice.
const INDICES = [5, 0, 2, 3, 1, 2, 2, 0, 4, 5, 5, 3];
const WEIGHTS = [0.5, 0, 1.25];
const UNIT = 3;
const inputs = [normal([N, K]), normal([6, D]), normal([D])];
const target = normal([N, D]);

/** The reconstruction of the latents below `end`, in float64. */
function prefix([values, W_dec, b_dec]: number[][], end: number): number[] {
  const out = Array.from({ length: N * D }, (_, i) => b_dec![i % D]!);
  values!.forEach((value, j) => {
    if (INDICES[j]! >= end) return;
    for (let c = 0; c < D; c++) out[Math.floor(j / K) * D + c]! += value * W_dec![INDICES[j]! * D + c]!;
  });
  return out;
}

const reference = (...values: number[][]) =>
  GROUPS.reduce((sum, end, g) => {
    const error = prefix(values, end).reduce((total, value, i) => total + (value - target.values[i]!) ** 2, 0);
    return sum + (WEIGHTS[g]! * error) / UNIT;
  }, 0);

const indices = () => tf.tensor2d(INDICES, [N, K], 'int32');
const decoded = (values: Tensor2D, W_dec: Tensor2D, b_dec: Tensor1D): Tensor3D =>
  nestedDecode(values, indices(), W_dec, b_dec, GROUPS);
const y = () => tf.tensor2d(target.values, [N, D]);
const errors = (all: Tensor3D) => nestedErrors(y(), all, { weights: WEIGHTS, unit: UNIT });

for (const backend of backends) {
  test(`${backend}: every prefix is the decoding of its latents, and gradients are those of differences`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const [values, W_dec, b_dec] = inputs.map(({ values: all, shape }) => tf.tensor(all, shape));
      const all = decoded(values as Tensor2D, W_dec as Tensor2D, b_dec as Tensor1D);
      assert.equal(all.shape, [GROUPS.length, N, D]);
      const wanted = GROUPS.flatMap((end) =>
        prefix(
          inputs.map((input) => [...input.values]),
          end,
        ),
      );
      allclose(all.dataSync(), wanted, { rtol: 1e-5, atol: 1e-5 });
    });
    checkGradient((v, W, b) => errors(decoded(v as Tensor2D, W as Tensor2D, b as Tensor1D)), reference, inputs);
    assert.is(tf.memory().numTensors, before);
  });

  test(`${backend}: a single group is the usual decoding and error`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const tensors = inputs.map(({ values, shape }) => tf.tensor(values, shape));
      const usual = (v: Tensor2D, W: Tensor2D, b: Tensor1D) => squaredError(y(), sparseDecode(v, indices(), W, b));
      const nested = (v: Tensor2D, W: Tensor2D, b: Tensor1D) =>
        nestedErrors(y(), nestedDecode(v, indices(), W, b, [6]), { weights: [1], unit: 1 });
      const [one, other] = [usual, nested].map((f) => tf.valueAndGrads(f as never)(tensors));
      allclose(other!.value.dataSync(), one!.value.dataSync(), { rtol: 1e-6, atol: 0 });
      other!.grads.forEach((grad, i) => {
        allclose(grad.dataSync(), one!.grads[i]!.dataSync(), { rtol: 1e-5, atol: 1e-5 });
      });
    });
  });
}

test.run();
