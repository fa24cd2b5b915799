/** @file Dense encoders as one operation: against the operations that they stand for, with gradients, on every backend. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { initBackend } from '../backend.ts';
import { inTraining } from '../precision.ts';
import { createRng } from '../rng.ts';
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { denseEncode, jumpEncode } from './dense-encode.ts';
import { jumprelu, thresholdL0 } from './threshold.ts';

const test = suite('num/ops/dense-encode');
const backends = await testBackends();
const rng = createRng('dense-encode');
const [n, d, d_sae] = [37, 33, 70];
const drawn = (...shape: number[]) => ({
  shape,
  values: rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1))),
});
const given = { x: drawn(n, d), W: drawn(d, d_sae), bias: drawn(d_sae), theta: drawn(d_sae), weights: drawn(n, d_sae) };
type Params = [W_enc: Tensor2D, bias: Tensor1D, theta: Tensor1D];
const made = ({ shape, values }: { shape: number[]; values: Float32Array }) => tf.tensor(values.slice(), shape);

/** Codes, L0, and the gradients of a loss that is made of both. */
function numbersOf(encode: (x: Tensor2D, ...params: Params) => { values: Tensor2D; l0?: Scalar }): Float32Array[] {
  return tf.tidy(() => {
    const x = made(given.x) as Tensor2D;
    const params = [given.W, given.bias, given.theta].map(made) as Params;
    params[2] = tf.abs(params[2]);
    let parts: Tensor[] = [];
    const loss = (...args: Tensor[]) => {
      const { values, l0 } = encode(x, ...(args as Params));
      parts = [values, ...(l0 ? [l0] : [])].map((part) => tf.keep(part));
      const sum = tf.sum(tf.mul(values, made(given.weights)));
      return (l0 ? tf.add(sum, tf.mul(l0, 3)) : sum) as Scalar;
    };
    const trained = encode.length > 3 ? params : params.slice(0, 2);
    const grads = tf.grads(loss)(trained);
    const numbers = [...parts, ...grads].map((tensor) => tensor.dataSync().slice() as Float32Array);
    tf.dispose(parts);
    return numbers;
  });
}

const relu = {
  fused: (x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D) => ({ values: denseEncode(x, { W_enc, bias }) }),
  composed: (x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D) => ({
    values: tf.relu(tf.add(tf.matMul(x, W_enc), bias)) as Tensor2D,
  }),
};
const jump = {
  fused: (x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, theta: Tensor1D) => {
    const { z, values } = jumpEncode(x, { W_enc, bias }, theta, 0.8);
    return { values, l0: thresholdL0(z, theta, 0.8) };
  },
  composed: (x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, theta: Tensor1D) => {
    const z = tf.add(tf.matMul(x, W_enc), bias) as Tensor2D;
    return { values: jumprelu(z, theta, 0.8), l0: thresholdL0(z, theta, 0.8) };
  },
};

for (const backend of backends) {
  for (const [name, { fused, composed }] of Object.entries({ relu, jump })) {
    test(`${backend}: ${name}: in float32 the bits of the operations, codes and gradients`, async () => {
      await initBackend(backend);
      const before = tf.memory().numTensors;
      assert.equal(numbersOf(fused), numbersOf(composed));
      assert.is(tf.memory().numTensors, before, 'tensors left behind');
    });
  }

  test(`${backend}: z is a constant, and so are inputs`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const [W_enc, bias, theta] = [made(given.W), made(given.bias), tf.abs(made(given.theta))] as Params;
      const loss = (W: Tensor) => {
        const { z, values } = jumpEncode(made(given.x) as Tensor2D, { W_enc: W as Tensor2D, bias }, theta, 0.8);
        return tf.add(tf.sum(tf.square(z)), tf.mul(tf.sum(values), 0)) as Scalar;
      };
      const nonzero = tf
        .grad(loss)(W_enc)
        .dataSync()
        .find((value) => value !== 0);
      assert.is(nonzero, undefined);
    });
  });
}

const served = await initBackend('native', 'bf16').then(
  () => true,
  () => false,
);
if (!served) test('in bf16: skipped, no products of bfloat16 here', () => undefined);
else {
  for (const [name, { fused, composed }] of Object.entries({ relu, jump })) {
    test(`in bf16: ${name}: the bits of the operations too`, async () => {
      await initBackend('native', 'bf16');
      const [found, expected, whole] = [
        inTraining(() => numbersOf(fused)),
        inTraining(() => numbersOf(composed)),
        numbersOf(composed),
      ];
      assert.equal(found, expected);
      assert.not.equal(found, whole);
      await initBackend('native');
    });
  }
}

test.run();
