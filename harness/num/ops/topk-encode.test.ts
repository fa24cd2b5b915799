/** @file topkEncode on every backend against dense differentiable operations. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend, probeBackends } from '../backend.ts';
import { createRng } from '../rng.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { topkEncode } from './topk-encode.ts';

const test = suite('topkEncode');
const backends = (await probeBackends()).flatMap((probe) => (probe.available ? [probe.name] : []));
const [n, d, d_sae, k] = [6, 5, 40, 3];

/** Σ c·code and its gradients, codes as dense rows: by the op, or by a constant mask over the dense activations. */
function lossOf(sparse: boolean, x: Tensor2D, weights: Tensor2D) {
  return (W_enc: Tensor2D, bias: Tensor1D): Tensor => {
    if (sparse) {
      const { values, indices } = topkEncode(x, W_enc, bias, k);
      const flat = tf.add(indices, tf.reshape(tf.range(0, n * d_sae, d_sae, 'int32'), [n, 1]));
      const picked = tf.gather(tf.reshape(weights, [n * d_sae]), tf.cast(tf.reshape(flat, [n * k]), 'int32'));
      return tf.sum(tf.mul(tf.reshape(values, [n * k]), picked));
    }
    const dense = tf.relu(tf.add(tf.matMul(x, W_enc), bias)) as Tensor2D;
    const rows = dense.arraySync();
    const mask = rows.map((row) => {
      const kth = [...row].sort((a, b) => b - a)[k - 1]!;
      return row.map((value) => (value >= kth ? 1 : 0));
    });
    return tf.sum(tf.mul(tf.mul(dense, mask), weights));
  };
}

for (const backend of backends) {
  test(`${backend}: value and gradients equal those of the dense activations`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const rng = createRng(3);
      const normal = (shape: [number, number]) =>
        tf.tensor2d(rng.fillNormal(new Float32Array(shape[0] * shape[1])), shape);
      const [x, W_enc, weights] = [normal([n, d]), normal([d, d_sae]), normal([n, d_sae])];
      const bias = tf.reshape(normal([1, d_sae]), [d_sae]) as Tensor1D;
      const [sparse, dense] = [true, false].map((which) => {
        const { value, grads } = tf.valueAndGrads(lossOf(which, x, weights) as never)([W_enc, bias]);
        return [value as Tensor, ...grads].map((tensor) => Array.from(tensor.dataSync()));
      });
      sparse!.forEach((numbers, part) => {
        numbers.forEach((number, i) => {
          assert.ok(Math.abs(number - dense![part]![i]!) < 1e-5, `part ${part}, element ${i}`);
        });
      });
    });
    assert.is(tf.memory().numTensors, before);
  });

  test(`${backend}: a k that is not 1 to d_sae is refused`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const [x, W_enc, bias] = [tf.ones([1, 2]) as Tensor2D, tf.ones([2, 4]) as Tensor2D, tf.zeros([4]) as Tensor1D];
      for (const wrong of [0, 1.5, 5])
        assert.throws(() => topkEncode(x, W_enc, bias, wrong), /k must be 1 to d_sae = 4/);
    });
  });
}

test.run();
