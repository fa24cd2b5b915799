/** @file topkEncode and batchTopkEncode on every backend against dense differentiable operations. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { initBackend } from '../backend.ts';
import { createRng } from '../rng.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { batchTopk, batchTopkEncode } from './batch-topk.ts';
import { positiveEncode } from './positive-encode.ts';
import { sparseDecode } from './sparse-decode.ts';
import { topkEncode } from './topk-encode.ts';
import type { TopkCodes } from './topk-sparse.ts';

const test = suite('topkEncode');
const backends = await testBackends();
const [n, d, d_sae, k] = [6, 5, 40, 3];

/** Σ c·code over codes [n, k] of any width. */
function weighted({ indices, values }: TopkCodes, weights: Tensor2D): Tensor {
  const flat = tf.add(indices, tf.reshape(tf.range(0, n * d_sae, d_sae, 'int32'), [n, 1]));
  const picked = tf.gather(tf.reshape(weights, [n * d_sae]), tf.cast(tf.reshape(flat, [indices.size]), 'int32'));
  return tf.sum(tf.mul(tf.reshape(values, [values.size]), picked));
}

/** 1 for the k largest of each row, of the latents that `allowed` lets in. */
function rowMask(dense: Tensor2D, allowed: (latent: number) => boolean): number[][] {
  return dense.arraySync().map((row) => {
    const kth = row.filter((_, latent) => allowed(latent)).sort((a, b) => b - a)[k - 1]!;
    return row.map((value, latent) => (allowed(latent) && value >= kth ? 1 : 0));
  });
}

type Params = [W_enc: Tensor2D, bias: Tensor1D, centre: Tensor1D];
type Codes = (x: Tensor2D, ...params: Params) => TopkCodes;
type Dense = (dense: Tensor2D) => Tensor2D;

const some = [1, 3, 4, 8, 20, 33, 39];
const CASES: [string, Codes, Dense][] = [
  [
    'without centre',
    (x, W_enc, bias) => topkEncode(x, { W_enc, bias }, k),
    (dense) =>
      tf.mul(
        dense,
        rowMask(dense, () => true),
      ),
  ],
  [
    'with centre',
    (x, W_enc, bias, centre) => topkEncode(x, { W_enc, bias, centre }, k),
    (dense) =>
      tf.mul(
        dense,
        rowMask(dense, () => true),
      ),
  ],
  [
    'among some latents',
    (x, W_enc, bias, centre) => topkEncode(x, { W_enc, bias, centre }, k, tf.tensor1d(some, 'int32')),
    (dense) =>
      tf.mul(
        dense,
        rowMask(dense, (latent) => some.includes(latent)),
      ),
  ],
  [
    'BatchTopK',
    (x, W_enc, bias, centre) => batchTopkEncode(x, { W_enc, bias, centre }, 1.5),
    (dense) => batchTopk(dense, 1.5),
  ],
  [
    'BatchTopK, most of the budget in one row',
    (x, W_enc, bias, centre) =>
      batchTopkEncode(tf.mul(x, [[1], [30], [1], [1], [1], [1]]), { W_enc, bias, centre }, 2.5),
    (dense) => batchTopk(dense, 2.5),
  ],
];

for (const backend of backends) {
  for (const [name, codes, select] of CASES) {
    test(`${backend}: ${name}: value and gradients equal those of the dense activations`, async () => {
      await initBackend(backend);
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const rng = createRng(3);
        const normal = (...shape: number[]) =>
          tf.tensor(rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b))), shape);
        const [x, weights] = [normal(n, d) as Tensor2D, normal(n, d_sae) as Tensor2D];
        const params: Params = [normal(d, d_sae) as Tensor2D, normal(d_sae) as Tensor1D, normal(d) as Tensor1D];
        const centred = name !== 'without centre';
        const scaled = name.includes('one row') ? (tf.mul(x, [[1], [30], [1], [1], [1], [1]]) as Tensor2D) : x;
        const dense = (W: Tensor2D, bias: Tensor1D, centre: Tensor1D) =>
          tf.relu(tf.add(tf.matMul(centred ? tf.sub(scaled, centre) : scaled, W), bias)) as Tensor2D;
        const losses = [
          (...p: Params) => weighted(codes(x, ...p), weights),
          (...p: Params) => tf.sum(tf.mul(select(dense(...p)), weights)),
        ];
        const used = centred ? params : params.slice(0, 2);
        const [sparse, expected] = losses.map((loss) => {
          const f = (...p: Tensor[]) => loss(p[0] as Tensor2D, p[1] as Tensor1D, (p[2] ?? params[2]) as Tensor1D);
          const { value, grads } = tf.valueAndGrads(f as never)(used);
          return [value as Tensor, ...grads].map((tensor) => Array.from(tensor.dataSync()));
        });
        sparse!.forEach((numbers, part) => {
          numbers.forEach((number, i) => {
            const [wanted, tolerance] = [expected![part]![i]!, 1e-5 * Math.max(1, Math.abs(expected![part]![i]!))];
            assert.ok(Math.abs(number - wanted) < tolerance, `part ${part}, element ${i}: ${number}, ${wanted}`);
          });
        });
      });
      assert.is(tf.memory().numTensors, before);
    });
  }

  test(`${backend}: a k that is not 1 to d_sae is refused`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const [x, W_enc, bias] = [tf.ones([1, 2]) as Tensor2D, tf.ones([2, 4]) as Tensor2D, tf.zeros([4]) as Tensor1D];
      for (const wrong of [0, 1.5, 5])
        assert.throws(() => topkEncode(x, { W_enc, bias }, wrong), /k must be 1 to d_sae = 4/);
      for (const wrong of [0, 5]) assert.throws(() => batchTopkEncode(x, { W_enc, bias }, wrong), /k must be in/);
    });
  });

  test(`${backend}: rows, encoders, biases and codes of sizes that do not fit are refused, never read as others`, async () => {
    await initBackend(backend);
    const message =
      /^encoder: expected|inner shapes|could not be broadcast|too short|[Ii]ncompatible shapes|Matrix size-incompatible/;
    tf.tidy(() => {
      const W_enc = tf.ones([6, 128]) as Tensor2D;
      for (const [width, biases] of [
        [5, 128],
        [7, 128],
        [6, 127],
        [6, 129],
      ] as [number, number][]) {
        const [x, bias] = [tf.ones([4, width]) as Tensor2D, tf.ones([biases]) as Tensor1D];
        for (const encode of [topkEncode, batchTopkEncode, positiveEncode]) {
          assert.throws(() => encode(x, { W_enc, bias }, 2), message, `${encode.name} ${width} ${biases}`);
        }
      }
      const [values, indices] = [tf.ones([4, 5]) as Tensor2D, tf.zeros([4, 3], 'int32') as Tensor2D];
      assert.throws(
        () => sparseDecode(values, indices, tf.ones([40, 6])),
        /values and indices of one shape, found \[4,5\] and \[4,3\]/,
      );
    });
  });
}

for (const backend of backends) {
  test(`${backend}: more rows than pre-activations are there at once: each row's are its own`, async () => {
    await initBackend(backend);
    const [rows, latents] = [9, 2 ** 20];
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = tf.randomNormal([rows, 2], 0, 1, 'float32', 5) as Tensor2D;
      const encoder = {
        W_enc: tf.randomNormal([2, latents], 0, 1, 'float32', 6) as Tensor2D,
        bias: tf.zeros([latents]) as Tensor1D,
      };
      const all = topkEncode(x, encoder, k);
      assert.equal(all.values.shape, [rows, k]);
      for (const row of [7, 8]) {
        const own = topkEncode(tf.slice(x, [row, 0], [1, 2]), encoder, k);
        const of = (codes: Tensor2D) => tf.slice(codes, [row, 0], [1, k]).dataSync();
        assert.equal(of(all.indices), own.indices.dataSync());
        assert.equal(of(all.values), own.values.dataSync());
      }
    });
    assert.is(tf.memory().numTensors, before);
  });
}

test.run();
