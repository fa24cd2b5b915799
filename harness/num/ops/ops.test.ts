/** @file The ops against float64 references and their central differences, on every backend that starts here. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { checkGradient, type Input } from '../finite-difference.ts';
import { createRng } from '../rng.ts';
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { absTopkEncode } from './abs-topk-encode.ts';
import { batchTopk, batchTopkMask } from './batch-topk.ts';
import { sparseCrossEntropy } from './cross-entropy.ts';
import { layerNorm, rmsNorm } from './norms.ts';
import { sparseDecode } from './sparse-decode.ts';
import { batchErrors, squaredError } from './squared-error.ts';
import { stopGradient, untracked } from './stop-gradient.ts';
import { jumprelu, thresholdL0 } from './threshold.ts';
import { topkSparse } from './topk-sparse.ts';

const test = suite('ops');
const backends = await testBackends();
const rng = createRng('ops');
const normal = (shape: number[]): Input => ({
  shape,
  values: Array.from(rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)))),
});
const weights = (n: number) => Array.from({ length: n }, (_, i) => ((i * 7) % 11) / 5 - 1);
const weighted = (y: Tensor): Scalar => tf.sum(tf.mul(tf.reshape(y, [-1]), weights(y.size)));
const weightedSum = (y: number[]) => y.reduce((total, value, i) => total + weights(y.length)[i]! * value, 0);

/** Drops the backend's own kernels for the duration of `run`, so that the composed path is the one tested. */
async function withoutKernels(names: string[], run: () => void): Promise<void> {
  const backend = tf.getBackend();
  const kept = names.flatMap((name) => tf.getKernel(name, backend) ?? []);
  for (const { kernelName } of kept) tf.unregisterKernel(kernelName, backend);
  try {
    run();
  } finally {
    for (const config of kept) tf.registerKernel(config);
  }
}

const INDICES = [0, 2, 4, 4, 1, 0];

/** Σ over the codes [3, 2] with INDICES of value · W_dec[index] [5, 4], plus b_dec. */
function decodeReference(values: number[], W_dec: number[], b_dec: number[]): number {
  const out = Array.from({ length: 12 }, (_, i) => b_dec[i % 4]!);
  values.forEach((value, j) => {
    for (let c = 0; c < 4; c++) out[Math.floor(j / 2) * 4 + c]! += value * W_dec[INDICES[j]! * 4 + c]!;
  });
  return weightedSum(out);
}

for (const backend of backends) {
  test(`${backend}: topkSparse selects by value, lowest index first among equals`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const { values, indices } = topkSparse(
        tf.tensor2d([
          [1, 3, 3, -1, 3],
          [-1, -2, -2, -5, -2],
        ]),
        3,
      );
      assert.equal(values.arraySync(), [
        [3, 3, 3],
        [-1, -2, -2],
      ]);
      assert.equal(indices.arraySync(), [
        [1, 2, 4],
        [0, 1, 2],
      ]);
      assert.throws(() => topkSparse(tf.zeros([2, 3]), 4), /k must be 1 to d_sae = 3, got 4/);
    });
  });

  test(`${backend}: absTopkEncode keeps each latent once, and refuses to keep more than there are`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const encoder = { W_enc: tf.tensor2d([[1, -3, 2]]), bias: tf.zeros([3]) as Tensor1D };
      const among = tf.tensor1d([0, 1], 'int32') as Tensor1D;
      assert.equal(absTopkEncode(tf.ones([1, 1]), encoder, 3).values.arraySync(), [[-3, 2, 1]]);
      assert.equal(absTopkEncode(tf.ones([1, 1]), encoder, 2, among).indices.arraySync(), [[1, 0]]);
      assert.throws(() => absTopkEncode(tf.ones([1, 1]), encoder, 4), /k must be 1 to d_sae = 3, got 4/);
      assert.throws(() => absTopkEncode(tf.ones([1, 1]), encoder, 3, among), /k must be 1 to d_sae = 2, got 3/);
    });
  });

  test(`${backend}: topkSparse sends the gradient back to the entries kept`, async () => {
    await initBackend(backend);
    const reference = (x: number[]) => {
      const top = [x.slice(0, 4), x.slice(4)].flatMap((row) => row.sort((a, b) => b - a).slice(0, 2));
      return weightedSum(top);
    };
    const input = { shape: [2, 4], values: [0.3, -1, 2, 0.7, 1.5, 0.1, -0.2, 1.1] };
    checkGradient((x) => weighted(topkSparse(x as Tensor2D, 2).values), reference as never, [input]);
  });

  test(`${backend}: sparseDecode and its three gradients, by kernel and composed`, async () => {
    await initBackend(backend);
    const inputs = [normal([3, 2]), normal([5, 4]), normal([4])];
    const check = () =>
      checkGradient(
        (values, W_dec, b_dec) => {
          // In an inner tidy, so that a gradient that forgets to save the indices fails.
          const x = tf.tidy(() => {
            const indices = tf.tensor2d(INDICES, [3, 2], 'int32');
            return sparseDecode(values as Tensor2D, indices, W_dec as Tensor2D, b_dec as Tensor1D);
          });
          return weighted(x);
        },
        decodeReference as never,
        inputs,
      );
    check();
    await withoutKernels(['SparseDecode', 'SparseDecodeGradValues', 'SparseDecodeGradDecoder'], check);
  });

  test(`${backend}: sparseDecode of active codes only: the same, and the gradients of the values that are not 0`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const indices = tf.tensor2d(INDICES, [3, 2], 'int32');
      const W_dec = tf.tensor2d(weights(20), [5, 4]);
      const values = tf.tensor2d([1, 0, -2, 0.5, 0, 0], [3, 2]);
      const both = [false, true].map((activeOnly) => {
        const decode = (v: Tensor, W: Tensor) =>
          sparseDecode(v as Tensor2D, indices, W as Tensor2D, undefined, { activeOnly });
        const [dv, dW] = tf.grads((v, W) => weighted(decode(v!, W!)))([values, W_dec]);
        const active = tf.mul(dv!, tf.cast(tf.notEqual(values, 0), 'float32'));
        return [decode(values, W_dec), active, dW!].map((tensor) => Array.from(tensor.dataSync()));
      });
      assert.equal(both[1], both[0]);
      assert.ok(both[0]![1]!.some((value) => value !== 0));
    });
  });

  test(`${backend}: squaredError, batchErrors and the gradient, by kernel and composed`, async () => {
    await initBackend(backend);
    const y = normal([3, 2]);
    const check = () => {
      const target = tf.tensor2d(y.values, [3, 2]);
      const reference = (guess: number[]) => 3 * guess.reduce((sum, value, i) => sum + (value - y.values[i]!) ** 2, 0);
      // A factor, so that the gradient that comes from above counts.
      checkGradient((guess) => tf.mul(squaredError(target, guess as Tensor2D), 3), reference as never, [
        normal([3, 2]),
      ]);
      // Rows (1, 2), (3, 6): mean (2, 4), distances 1 + 4 each; errors 1 and 4.
      const rows = tf.tensor2d([1, 2, 3, 6], [2, 2]);
      const guess = tf.tensor2d([1, 1, 3, 8], [2, 2]);
      const errors = batchErrors(rows, guess);
      assert.equal([...errors.dataSync()], [5, 10]);
      tf.dispose([target, rows, guess, errors]);
    };
    check();
    await withoutKernels(['SaxSquaredErrors', 'SaxSquaredErrorGrad'], check);
  });

  test(`${backend}: batchTopk shares the budget across the batch`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const x = tf.tensor2d([
        [5, 4, 3],
        [0, 1, 0],
      ]);
      assert.equal(batchTopkMask(x, 1.5).arraySync(), [
        [1, 1, 1],
        [0, 0, 0],
      ]);
      assert.equal(batchTopkMask(x, 0.4).arraySync(), [
        [0, 0, 0],
        [0, 0, 0],
      ]);
      assert.equal(batchTopkMask(tf.ones([2, 2]), 1.5).arraySync(), [
        [1, 1],
        [1, 0],
      ]);
      assert.throws(() => batchTopkMask(x, 4), /k must be in \(0, d_sae = 3\]/);
    });
    const reference = (x: number[]) => {
      const kept = new Set([...x.keys()].sort((a, b) => x[b]! - x[a]!).slice(0, 3));
      return weightedSum(x.map((value, i) => (kept.has(i) ? value : 0)));
    };
    checkGradient((x) => weighted(batchTopk(x as Tensor2D, 1.5)), reference as never, [normal([2, 4])]);
  });

  test(`${backend}: jumprelu and L0 follow the paper's pseudo-derivatives`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      // θ = 1, ε = 0.5: the kernel is 1 for z in (0.75, 1.25).
      const z = tf.tensor2d([[0.5], [0.8], [1], [1.2], [2]]);
      const theta = tf.tensor1d([1]);
      allclose(jumprelu(z, theta, 0.5).dataSync(), [0, 0, 0, 1.2, 2]);
      allclose(thresholdL0(z, theta, 0.5).dataSync(), [2 / 5]);
      const dy = tf.tensor2d([[1], [10], [100], [1000], [10000]]);
      const jump = tf.grads((a, b) => tf.sum(tf.mul(jumprelu(a as Tensor2D, b as Tensor1D, 0.5), dy)))([z, theta]);
      allclose(jump[0]!.dataSync(), [0, 0, 0, 1000, 10000]);
      allclose(jump[1]!.dataSync(), [(-1 / 0.5) * 1110]);
      const l0 = tf.grad((b) => tf.mul(thresholdL0(z, b as Tensor1D, 0.5), 10))(theta);
      allclose(l0.dataSync(), [(-(1 / 0.5) * 3 * 10) / 5]);
      // With thresholds of their own, only those in the band move.
      const each = tf.tensor2d([[1], [1], [1], [1], [1]]);
      const own = tf.grad((b) => thresholdL0(z, b as Tensor2D, 0.5))(each);
      allclose(own.dataSync(), [0, -0.4, -0.4, -0.4, 0]);
      const doubled = tf.grads((a, b) => tf.sum(jumprelu(a as Tensor2D, b as Tensor1D, 2)))([z, tf.tensor1d([1.5])]);
      // θ = 1.5, ε = 2: z in (0.5, 2.5) counts, four of the five: -(1.5 / 2) · 4.
      allclose(doubled[1]!.dataSync(), [-3]);
    });
    assert.is(tf.memory().numTensors, before);
  });

  test(`${backend}: rmsNorm`, async () => {
    await initBackend(backend);
    const reference = (x: number[], w: number[]) => {
      const out = x.map((value, i) => {
        const row = x.slice(i - (i % 4), i - (i % 4) + 4);
        return (value / Math.sqrt(row.reduce((a, b) => a + b * b, 0) / 4 + 0.01)) * w[i % 4]!;
      });
      return weightedSum(out);
    };
    const inputs = [normal([2, 3, 4]), normal([4])];
    checkGradient((x, w) => weighted(rmsNorm(x!, w as Tensor1D, 0.01)), reference as never, inputs);
    tf.tidy(() => {
      const [x, long] = [tf.zeros([2, 4]), tf.ones([5]) as Tensor1D];
      assert.throws(() => rmsNorm(x, long, 0.01), /expected a gain, and a bias, of 4.*found 5/);
      assert.throws(() => layerNorm(x, tf.ones([4]) as Tensor1D, long, 0.01), /found 4,5/);
    });
  });

  test(`${backend}: layerNorm`, async () => {
    await initBackend(backend);
    const reference = (x: number[], w: number[], b: number[]) => {
      const out = x.map((value, i) => {
        const row = x.slice(i - (i % 4), i - (i % 4) + 4);
        const mean = row.reduce((sum, v) => sum + v, 0) / 4;
        const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 4;
        return ((value - mean) / Math.sqrt(variance + 0.01)) * w[i % 4]! + b[i % 4]!;
      });
      return weightedSum(out);
    };
    const inputs = [normal([3, 4]), normal([4]), normal([4])];
    const op = (x: Tensor, w: Tensor, b: Tensor) => weighted(layerNorm(x, w as Tensor1D, b as Tensor1D, 0.01));
    checkGradient(op as never, reference as never, inputs);
  });

  test(`${backend}: sparseCrossEntropy, with a padded row`, async () => {
    await initBackend(backend);
    const labels = [2, -1, 0];
    const reference = (x: number[]) => {
      const losses = labels.map((label, i) => {
        const row = x.slice(i * 4, i * 4 + 4);
        return label < 0 ? 0 : Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[label]!;
      });
      return weightedSum(losses);
    };
    const op = (x: Tensor) => {
      const losses = tf.tidy(() => sparseCrossEntropy(x as Tensor2D, tf.tensor1d(labels, 'int32')));
      return weighted(losses);
    };
    checkGradient(op as never, reference as never, [normal([3, 4])]);
    tf.tidy(() => {
      const huge = sparseCrossEntropy(
        tf.tensor2d([
          [1e4, 0],
          [-1e4, 1e4],
        ]),
        tf.tensor1d([0, 0], 'int32'),
      );
      allclose(huge.dataSync(), [0, 2e4]);
    });
  });

  test(`${backend}: untracked gives a constant, and leaves nothing behind`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = tf.tensor1d([2, 3]);
      allclose(untracked(() => tf.square(x)).dataSync(), [4, 9]);
      const grad = tf.grad((a) =>
        tf.sum(
          tf.mul(
            a,
            untracked(() => tf.square(a)),
          ),
        ),
      )(x);
      allclose(grad.dataSync(), [4, 9]);
    });
    assert.is(tf.memory().numTensors, before);
  });

  test(`${backend}: stopGradient passes values and no gradient`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const grad = tf.grad((x) => tf.sum(tf.mul(x, stopGradient(tf.square(x)))))(tf.tensor1d([2, 3]));
      allclose(grad.dataSync(), [4, 9]);
    });
  });
}

test('all backends choose the same indices on data full of ties', async () => {
  const values = Array.from({ length: 64 * 50 }, () => rng.int(6));
  const chosen = [];
  for (const backend of backends) {
    await initBackend(backend);
    chosen.push(tf.tidy(() => [...topkSparse(tf.tensor2d(values, [64, 50]), 17).indices.dataSync()]));
  }
  for (const other of chosen) assert.equal(other, chosen[0]);
});

test.run();
