/** @file The kernels of our own (Sax…, Sparse…) against compositions of tf operations, and in float64 by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { input, nativeReady, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native fused kernels');

type Kernel = Record<string, tf.Tensor>;
type Triple = [tf.Tensor, tf.Tensor, tf.Tensor];
const run = (name: string, inputs: Kernel, attrs: Record<string, unknown> = {}) =>
  [tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap)].flat() as tf.Tensor[];

/** Inputs of SaxAdam for its parameter number i. */
const numbered = (inputs: Kernel, i: number): Kernel =>
  Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [`${name}${i}`, tensor]));

/** SaxAdam for one parameter, without clipping. */
const adam = (inputs: Kernel, attrs: Record<string, unknown>) =>
  run('SaxAdam', numbered(inputs, 0), { clipNorm: 0, weightDecay: [0], unitRows: [false], ...attrs }) as Triple;

function tensorOf(seed: number, shape: number[], scale = 2): tf.Tensor {
  const { values } = input(source(seed), shape, 'float32', false, scale);
  return tf.tensor(values, shape, 'float32');
}

function near(actual: tf.Tensor, expected: tf.Tensor, tolerance: number, label: string): void {
  assert.equal(actual.shape, expected.shape, label);
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  a.forEach((value, i) => {
    assert.ok(
      Math.abs(value - b[i]!) <= tolerance * Math.max(1, Math.abs(b[i]!)),
      `${label} [${i}]: ${value} and ${b[i]}`,
    );
  });
}

function same(actual: tf.Tensor, expected: tf.Tensor, label: string): void {
  assert.equal(actual.shape, expected.shape, label);
  const [a, b] = [actual, expected].map((tensor) => {
    const { buffer, byteOffset, byteLength } = tensor.dataSync();
    return Buffer.from(buffer, byteOffset, byteLength);
  });
  assert.ok(a!.equals(b!), label);
}

/** Runs a body with nothing left behind. */
function clean(body: () => void): () => void {
  return () => {
    tf.setBackend('native');
    const before = tf.memory().numTensors;
    tf.tidy(body);
    assert.is(tf.memory().numTensors, before);
  };
}

test(
  'RMS norm and its gradient',
  clean(() => {
    for (const shape of [
      [3, 1],
      [4, 7],
      [2, 3, 64],
      [50, 130],
    ]) {
      const n = shape.at(-1)!;
      const [x, gain, dy] = [tensorOf(1, shape), tensorOf(2, [n]), tensorOf(3, shape)];
      const [y, rstd] = run('SaxRmsNorm', { x, gain }, { epsilon: 1e-5 });
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-5));
      near(rstd!, inverse, 1e-6, 'rstd');
      near(y!, tf.mul(tf.mul(x, inverse), gain), 2e-6, 'y');
      const [dx, h] = run('SaxRmsNormGrad', { dy, x, rstd: rstd!, gain });
      const g = tf.mul(dy, gain);
      near(h!, tf.mul(x, inverse), 2e-6, 'h');
      near(dx!, tf.mul(inverse, tf.sub(g, tf.mul(h!, tf.mean(tf.mul(g, h!), -1, true)))), 5e-6, 'dx');
    }
  }),
);

test(
  'layer norm and its gradient, with and without gain',
  clean(() => {
    for (const shape of [
      [4, 7],
      [2, 3, 64],
      [50, 130],
    ]) {
      const n = shape.at(-1)!;
      const [x, gain, bias, dy] = [tensorOf(1, shape), tensorOf(2, [n]), tensorOf(4, [n]), tensorOf(3, shape)];
      const [y, mean, rstd] = run('SaxLayerNorm', { x, gain, bias }, { epsilon: 1e-5 });
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5));
      const normed = tf.mul(centred, inverse);
      near(y!, tf.add(tf.mul(normed, gain), bias), 1e-5, 'y');
      near(run('SaxLayerNorm', { x }, { epsilon: 1e-5 })[0]!, normed, 1e-5, 'plain y');
      const [dx, h] = run('SaxLayerNormGrad', { dy, x, mean: mean!, rstd: rstd!, gain });
      const g = tf.mul(dy, gain);
      const bracket = tf.add(tf.mean(g, -1, true), tf.mul(normed, tf.mean(tf.mul(g, normed), -1, true)));
      near(h!, normed, 1e-5, 'h');
      near(dx!, tf.mul(inverse, tf.sub(g, bracket)), 2e-5, 'dx');
    }
  }),
);

test(
  'softmax and log-softmax gradients',
  clean(() => {
    for (const shape of [[5], [4, 7], [2, 3, 100]]) {
      const [x, dy] = [tensorOf(1, shape), tensorOf(2, shape)];
      const y = tf.softmax(x);
      const expected = tf.mul(tf.sub(dy, tf.sum(tf.mul(dy, y), -1, true)), y);
      near(run('SaxSoftmaxGrad', { dy, y })[0]!, expected, 1e-6, 'softmax');
      const [logs] = run('SaxLogSoftmax', { x });
      near(logs!, tf.logSoftmax(x), 1e-6, 'log-softmax');
      near(
        run('SaxLogSoftmaxGrad', { dy, y: logs! })[0]!,
        tf.sub(dy, tf.mul(tf.sum(dy, -1, true), y)),
        2e-6,
        'gradient',
      );
    }
  }),
);

test(
  'two Adam steps, by hand in float64',
  clean(() => {
    const [p, m, v, g] = [1, 0, 0, 0.5];
    const attrs = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: [0.01], unitRows: [false] };
    const scalars = (...values: number[]) => values.map((value) => tf.tensor1d([value]));
    let [param, first, second, grad] = scalars(p, m, v, g) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    // Step 1: m = 0.05, v = 0.0025; corrected 0.5 and 0.25; p = 1·0.999 - 0.1·0.5/0.5.
    [param, first, second] = adam({ param, m: first, v: second, grad }, { ...attrs, step: 1 });
    near(param, tf.tensor1d([0.899]), 1e-6, 'step 1');
    // Step 2 with g = -1: m = -0.055, v = 0.012475; corrected -0.055/0.19 and 0.012475/0.0199.
    grad = tf.tensor1d([-1]);
    [param, first, second] = adam({ param, m: first, v: second, grad }, { ...attrs, step: 2 });
    const expected = 0.899 * 0.999 + (0.1 * (0.055 / 0.19)) / Math.sqrt(0.012475 / 0.0199);
    near(param, tf.tensor1d([expected]), 1e-6, 'step 2');
    near(first, tf.tensor1d([-0.055]), 1e-6, 'm');
    near(second, tf.tensor1d([0.012475]), 1e-6, 'v');
  }),
);

test(
  'Adam on unit rows: a tangent, scaled gradient, and rows of length 1',
  clean(() => {
    for (const [rows, width] of [
      [3, 2],
      [7, 33],
      [130, 200],
    ] as [number, number][]) {
      const raw = tensorOf(1, [rows, width]);
      const param = tf.div(raw, tf.norm(raw, 'euclidean', 1, true));
      const [grad, m] = [tensorOf(2, [rows, width]), tensorOf(3, [rows, width])];
      const v = tf.square(tensorOf(4, [rows, width]));
      const tangent = tf.sub(grad, tf.mul(param, tf.sum(tf.mul(grad, param), 1, true)));
      // Clipped to 0.3 of what the tangent gradient and a second parameter's have together.
      const other = tensorOf(5, [17]);
      const clipNorm = 0.3 * tf.norm(tf.concat([tf.reshape(tangent, [-1]), other])).dataSync()[0]!;
      // Clones share the numbers, so neither call may write over them.
      const inputs = { param: tf.clone(param), m: tf.clone(m), v: tf.clone(v), grad };
      const attrs = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3 };
      const plain = adam({ param, m, v, grad: tf.mul(tangent, 0.3) }, attrs);
      const expected = tf.div(plain[0]!, tf.norm(plain[0]!, 'euclidean', 1, true));
      const zero = () => tf.zeros([17]);
      const second = { param: zero(), m: zero(), v: zero(), grad: other };
      const both = { ...numbered(inputs, 0), ...numbered(second, 1) };
      const got = run('SaxAdam', both, { ...attrs, clipNorm, weightDecay: [0, 0], unitRows: [true, false] });
      near(got[4]!, tf.mul(other, 0.3 * (1 - 0.9)), 1e-5, 'm of the second');
      assert.is(got.length, 6);
      near(got[0]!, expected, 1e-5, 'param');
      near(got[1]!, plain[1]!, 1e-5, 'm');
      near(got[2]!, plain[2]!, 1e-5, 'v');
    }
  }),
);

test(
  'Adam writes over numbers that it alone has, and over no others',
  clean(() => {
    const attrs = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 1 };
    const made = () => tf.add(tensorOf(1, [50, 40]), 0);
    const [alone, shared, read] = [made(), made(), made()];
    const copy = tf.clone(shared);
    const seen = read.dataSync();
    const before = Array.from(seen);
    const [grad, zero] = [tensorOf(2, [50, 40]), () => tf.zeros([50, 40])];
    const next = [alone, shared, read].map((param) => adam({ param, m: zero(), v: zero(), grad }, attrs)[0]);
    assert.equal(Array.from(copy.dataSync()), before);
    assert.equal(Array.from(seen), before);
    assert.equal(Array.from(next[0]!.dataSync()), Array.from(next[1]!.dataSync()));
    assert.equal(Array.from(next[0]!.dataSync()), Array.from(next[2]!.dataSync()));
    assert.equal(Array.from(alone.dataSync()), Array.from(next[0]!.dataSync()), 'in place');
  }),
);

test(
  'sparse decode and its gradients equal the dense ones',
  clean(() => {
    for (const [n, k, features, d] of [
      [3, 2, 5, 4],
      [20, 7, 40, 33],
      [64, 5, 9, 130],
      // The decoder's gradient is written past the cache, and the encoder's, in two pieces of its columns.
      [40, 6, 16200, 130],
      // Rows of the encoder's gradient do not start on a cache line.
      [12, 3, 1501, 1503],
    ] as [number, number, number, number][]) {
      const W_dec = tensorOf(1, [features, d]);
      const dy = tensorOf(2, [n, d]);
      const from = source(n);
      const picks = Int32Array.from({ length: n * k }, () => from.int(features));
      const weights = input(from, [n, k]).values as Float32Array;
      weights[0] = 0;
      const dense = new Float32Array(n * features);
      picks.forEach((f, p) => {
        dense[Math.floor(p / k) * features + f]! += weights[p]!;
      });
      const [indices, values] = [tf.tensor2d(picks, [n, k], 'int32'), tf.tensor2d(weights, [n, k])];
      const codes = tf.tensor2d(dense, [n, features]);
      near(run('SparseDecode', { values, indices, W_dec })[0]!, tf.matMul(codes, W_dec as tf.Tensor2D), 1e-5, 'decode');
      const outer = tf.matMul(codes, dy as tf.Tensor2D, true);
      const rows = run('SparseDecodeGradDecoder', { dy, values, indices }, { d_sae: features })[0]!;
      near(rows, outer, 1e-5, 'decoder');
      const turned = tf.transpose(outer);
      // As the gradient of codes that are all above 0.
      const ones = tf.onesLike(values);
      const W_enc = tensorOf(2, [d, features]);
      const [dW, dbias, dcentre] = run('SaxEncodeGrad', {
        ...{ x: dy, dy: values, codes: ones, indices, W_enc, centre: tf.zeros([d]) },
      });
      near(dW!, turned, 1e-5, 'encoder');
      same(dW!, tf.transpose(rows), 'sums by column and by row, to the last bit');
      near(dbias!, tf.sum(codes, 0), 1e-5, 'bias');
      near(
        dcentre!,
        tf.neg(tf.squeeze(tf.matMul(W_enc as tf.Tensor2D, tf.expandDims(tf.sum(codes, 0), 1)), [1])),
        1e-4,
        'centre',
      );
      const dots = tf.gather(tf.matMul(dy as tf.Tensor2D, W_dec as tf.Tensor2D, false, true), indices, 1, 1);
      // Of sums of many terms the last digits are a matter of their order.
      const many = d > 1000 ? 3e-5 : 1e-5;
      near(run('SparseDecodeGradValues', { dy, indices, W_dec })[0]!, dots, many, 'values');
      const apart = [
        run('SparseDecodeGradValues', { dy, indices, W_dec, codes: values })[0]!,
        run('SparseDecodeGradDecoder', { dy, values, indices }, { d_sae: features })[0]!,
      ];
      run('SaxSparseDecodeGrad', { dy, values, indices, W_dec }).forEach((both, i) => {
        const expected = apart[i]!.dataSync();
        assert.ok(
          both.dataSync().every((value, at) => value === expected[at]),
          `gradient ${i} in one pass`,
        );
      });
      // Gradients that are left unmade: read, and used up by the optimiser.
      const signed = tf.sub(values, 0.3);
      const encoded = { x: dy, dy: values, codes: signed, indices, W_enc, centre: tf.zeros([d]) };
      const wholes = [
        run('SaxSparseDecodeGrad', { dy, values, indices, W_dec })[1]!,
        run('SaxEncodeGrad', encoded)[0]!,
      ];
      const unmade = () => [
        run('SaxSparseDecodeGrad', { dy, values, indices, W_dec }, { later: true })[1]!,
        run('SaxEncodeGrad', encoded, { later: true })[0]!,
      ];
      unmade().forEach((grad, i) => {
        same(grad, wholes[i]!, `gradient ${i} made when read`);
      });
      same(tf.neg(unmade()[0]!), tf.neg(wholes[0]!), 'made as the input of a kernel');
      const moments = [tensorOf(5, [features, d]), tf.abs(tensorOf(6, [features, d]))];
      // Copies, which it cannot write over.
      const state = (grads: tf.Tensor[]) => ({
        ...numbered({ param: tf.clone(W_dec), m: tf.clone(moments[0]!), v: tf.clone(moments[1]!), grad: grads[0]! }, 0),
        ...numbered(
          { param: tf.clone(W_enc), m: tf.zeros([d, features]), v: tf.zeros([d, features]), grad: grads[1]! },
          1,
        ),
      });
      for (const [unit, clipNorm] of [
        [true, 0],
        [false, 0],
        [true, 1],
      ] as [boolean, number][]) {
        const rates = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3 };
        const attrs = { ...rates, clipNorm, weightDecay: [0, 0.1], unitRows: [unit, false] };
        const expected = run('SaxAdam', state(wholes), attrs);
        run('SaxAdam', state(unmade()), attrs).forEach((tensor, i) => {
          same(tensor, expected[i]!, `Adam's output ${i} by gradients on the way, clip ${clipNorm}`);
        });
      }
      const wrong = tf.fill([n, k], features, 'int32');
      assert.throws(() => run('SparseDecode', { values, indices: wrong, W_dec }), /outside the dictionary/);
    }
  }),
);

if (ready) test.run();
