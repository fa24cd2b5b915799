/** @file Adam against a float64 reference, clipping, and exact resume. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../testing/test-backends.ts';
import { allclose } from './allclose.ts';
import { initBackend } from './backend.ts';
import { sparseDecode } from './ops/sparse-decode.ts';
import { squaredError } from './ops/squared-error.ts';
import { topkEncode } from './ops/topk-encode.ts';
import { type AdamOptions, createAdam } from './optimiser.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf, type Variable } from './tf.ts';

const test = suite('optimiser');
const backends = await testBackends();
test.before(async () => {
  await initBackend();
});

/** Adam in float64, straight from the paper, on one flat parameter. */
function reference(start: number[], grads: number[][], lr: number, options: AdamOptions): number[] {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, clipNorm } = options;
  const p = [...start];
  const m = p.map(() => 0);
  const v = p.map(() => 0);
  grads.forEach((grad, index) => {
    const t = index + 1;
    const norm = Math.hypot(...grad);
    const scale = clipNorm === undefined ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
    for (let i = 0; i < p.length; i++) {
      const g = grad[i]! * scale;
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      p[i]! *= 1 - lr * weightDecay;
      p[i]! -= (lr * (m[i]! / (1 - beta1 ** t))) / (Math.sqrt(v[i]! / (1 - beta2 ** t)) + epsilon);
    }
  });
  return p;
}

const START = [1, -2, 0.5, 3];
const GRADS = [
  [0.1, -3, 0, 1e-4],
  [0.2, 5, 0, -1e-4],
  [-0.4, -1, 0, 1e-4],
  [0.1, 0.5, 2, 1e-4],
];

/** `tf.variable` copies its initial value, which must be freed too. */
const variable = (start: Float32Array | number[]): Variable => tf.tidy(() => tf.variable(tf.tensor1d(start)));

/** The same parameter split in two variables, so that clipping must join them. */
function run(options: AdamOptions, lr: number): number[] {
  const params = { a: variable(START.slice(0, 2)), b: variable(START.slice(2)) };
  const adam = createAdam(params, options);
  for (const grad of GRADS) {
    tf.tidy(() => adam.step({ a: tf.tensor1d(grad.slice(0, 2)), b: tf.tensor1d(grad.slice(2)) }, lr));
  }
  const values = [...params.a.dataSync(), ...params.b.dataSync()];
  adam.dispose();
  params.a.dispose();
  params.b.dispose();
  return values;
}

for (const [name, options] of Object.entries<AdamOptions>({
  defaults: {},
  'JumpReLU recipe: beta1 = 0': { beta1: 0, beta2: 0.999 },
  'TopK recipe: tiny epsilon': { epsilon: 6.25e-10 },
  'decoupled weight decay': { weightDecay: 0.1 },
  'global-norm clipping': { clipNorm: 1 },
})) {
  test(`matches the float64 reference on every backend: ${name}`, async () => {
    const expected = reference(START, GRADS, 0.05, options);
    for (const backend of backends) {
      await initBackend(backend);
      const before = tf.memory().numTensors;
      allclose(run(options, 0.05), expected, { rtol: 0, atol: 2e-6 }, backend);
      assert.is(tf.memory().numTensors, before);
    }
  });
}

test('unit rows: every backend steps along the sphere as the float64 reference does', async () => {
  const lr = 0.05;
  const grads = [
    [4, -1],
    [-1, 2],
    [0.5, 0.5],
  ];
  // One row of two entries: tangent gradient, clipping at 1, Adam, rescaling.
  let [x, y] = [0.6, 0.8];
  const [m, v] = [
    [0, 0],
    [0, 0],
  ];
  grads.forEach(([gx, gy], index) => {
    const along = gx! * x + gy! * y;
    const tangent = [gx! - along * x, gy! - along * y];
    const scale = Math.min(1, 1 / (Math.hypot(...tangent) + 1e-6));
    const moved = [x, y].map((value, i) => {
      const g = tangent[i]! * scale;
      m[i] = 0.9 * m[i]! + 0.1 * g;
      v[i] = 0.999 * v[i]! + 0.001 * g * g;
      const t = index + 1;
      return value - (lr * (m[i]! / (1 - 0.9 ** t))) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8);
    });
    [x, y] = [moved[0]! / Math.hypot(...moved), moved[1]! / Math.hypot(...moved)];
  });
  for (const backend of backends) {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    const w = tf.tidy(() => tf.variable(tf.tensor2d([0.6, 0.8], [1, 2])));
    const adam = createAdam({ w }, { clipNorm: 1, unitRows: ['w'] });
    for (const grad of grads) tf.tidy(() => adam.step({ w: tf.tensor2d(grad, [1, 2]) }, lr));
    allclose(w.dataSync(), [x, y], { rtol: 0, atol: 2e-6 }, backend);
    adam.dispose();
    w.dispose();
    assert.is(tf.memory().numTensors, before);
  }
});

test('gradients that are left for the step to make give the same bits, and nothing stays behind', async () => {
  const [n, d, d_sae, k] = [24, 20, 70, 3];
  const random = (shape: [number, number], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed) as Tensor2D;
  const trained = (left: boolean, options: AdamOptions): Record<string, Float32Array> => {
    const start = tf.tidy(() => ({
      W_enc: random([d, d_sae], 1),
      W_dec: random([d_sae, d], 2),
      bias: tf.zeros([d_sae]),
    }));
    const params = Object.fromEntries(Object.entries(start).map(([name, tensor]) => [name, tf.variable(tensor)]));
    tf.dispose(start);
    const adam = createAdam(params, options);
    for (let step = 0; step < 3; step++) {
      const x = random([n, d], 10 + step);
      const loss = () => {
        const encoder = { W_enc: params['W_enc'] as Tensor2D, bias: params['bias'] as Tensor1D };
        const { values, indices } = topkEncode(x, encoder, k);
        return squaredError(
          x,
          sparseDecode(values, indices, params['W_dec'] as Tensor2D, undefined, { activeOnly: true }),
        );
      };
      const compute = () => tf.variableGrads(loss, Object.values(params));
      const { value, grads } = left ? adam.gradients(compute) : compute();
      const names = Object.fromEntries(Object.entries(params).map(([name, { name: own }]) => [own, name]));
      adam.step(Object.fromEntries(Object.entries(grads).map(([own, grad]) => [names[own]!, grad])), 0.01);
      tf.dispose([x, value, grads]);
    }
    const result = Object.fromEntries(Object.entries(params).map(([name, param]) => [name, param.dataSync().slice()]));
    adam.dispose();
    tf.dispose(Object.values(params));
    return result as Record<string, Float32Array>;
  };
  for (const backend of backends) {
    await initBackend(backend);
    const before = tf.memory();
    for (const options of [{}, { clipNorm: 1 }, { unitRows: ['W_dec', 'W_enc'] }]) {
      assert.equal(trained(true, options), trained(false, options), `${backend} ${JSON.stringify(options)}`);
    }
    assert.is(tf.memory().numTensors, before.numTensors);
    assert.is(tf.memory().numDataBuffers, before.numDataBuffers);
  }
});

/** W_dec's gradient of a small decoder, W_dec read in the shape [70, 20] that it need not have. */
function decoderGradient(param: Variable, left: boolean, adam: ReturnType<typeof createAdam>) {
  const random = (shape: [number, number], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed) as Tensor2D;
  const [x, values] = [random([24, 20], 1), random([24, 3], 2)];
  const indices = tf.randomUniformInt([24, 3], 0, 70, 3) as Tensor2D;
  const loss = () =>
    squaredError(
      x,
      sparseDecode(values, indices, tf.reshape(param, [70, 20]) as Tensor2D, undefined, { activeOnly: true }),
    );
  const compute = () => tf.variableGrads(loss, [param]);
  const { value, grads } = left ? adam.gradients(compute) : compute();
  tf.dispose([x, values, indices, value]);
  return grads[param.name]!;
}

test('unit rows of a parameter that the loss reads in another shape are its own, also of a gradient not yet made', async () => {
  for (const backend of backends) {
    await initBackend(backend);
    const trained = (left: boolean, shape: [number, number]) =>
      tf.tidy(() => {
        const start = tf.randomNormal(shape, 0, 1, 'float32', 4);
        const p = tf.variable(tf.div(start, tf.norm(start, 2, 1, true)));
        const adam = createAdam({ p }, { unitRows: ['p'] });
        adam.step({ p: decoderGradient(p, left, adam) }, 0.1);
        const norms = tf.norm(p, 2, 1).dataSync();
        assert.ok(norms.every((norm) => Math.abs(norm - 1) < 1e-5));
        const result = p.dataSync().slice();
        adam.dispose();
        p.dispose();
        return result;
      });
    for (const shape of [
      [70, 20],
      [140, 10],
      [35, 40],
    ] as [number, number][]) {
      assert.equal(trained(true, shape), trained(false, shape), `${backend} ${shape}`);
    }
  }
});

test('a gradient not yet made may be read, kept, cut, replaced and let go of before the step, which may never come', async () => {
  for (const backend of backends) {
    await initBackend(backend);
    const hooks: Record<string, (grad: Tensor) => Tensor> = {
      read: (grad) => {
        grad.dataSync();
        return grad;
      },
      written: (grad) => {
        (grad.dataSync() as Float32Array)[3] = 7;
        return grad;
      },
      copy: (grad) => {
        const copy = tf.clone(grad);
        grad.dispose();
        return copy;
      },
      parts: (grad) => tf.concat([tf.slice(grad, [0, 0], [30, 20]), tf.slice(grad, [30, 0], [40, 20])]),
      shapes: (grad) => tf.reshape(tf.reshape(grad, [-1]), [70, 20]),
      replaced: (grad) => {
        grad.dispose();
        return tf.ones([70, 20]);
      },
    };
    const before = tf.memory();
    for (const [name, hook] of Object.entries(hooks)) {
      const trained = (left: boolean) =>
        tf.tidy(() => {
          const p = tf.variable(tf.randomNormal([70, 20], 0, 1, 'float32', 4));
          const adam = createAdam({ p });
          const grad = decoderGradient(p, left, adam);
          const kept = tf.clone(grad);
          adam.step({ p: hook(grad) }, 0.1);
          const result = [p.dataSync().slice(), kept.dataSync().slice()];
          adam.dispose();
          p.dispose();
          return result;
        });
      assert.equal(trained(true), trained(false), `${backend}, ${name}`);
    }
    const p = tf.tidy(() => tf.variable(tf.ones([70, 20])));
    const adam = createAdam({ p });
    assert.throws(
      () =>
        tf.tidy(() => {
          decoderGradient(p, true, adam);
          throw new Error('a hook fails');
        }),
      /a hook fails/,
    );
    adam.dispose();
    p.dispose();
    assert.is(tf.memory().numTensors, before.numTensors);
    assert.is(tf.memory().numDataBuffers, before.numDataBuffers);
  }
});

test('a gradient of another shape than its parameter is refused', async () => {
  for (const backend of backends) {
    await initBackend(backend);
    const p = tf.tidy(() => tf.variable(tf.ones([3, 4])));
    const adam = createAdam({ p });
    for (const shape of [[12], [1, 4], [2, 4], [4, 3], [3, 5]]) {
      tf.tidy(() => {
        assert.throws(
          () => adam.step({ p: tf.ones(shape) }, 0.1),
          /the gradient of 'p' has shape \[.*\], expected \[3,4\]/,
        );
      });
    }
    assert.equal([...p.dataSync()], new Array(12).fill(1));
    adam.dispose();
    p.dispose();
  }
});

test('a resumed optimiser continues with the same bits', () => {
  const grads = GRADS.map((grad) => tf.tensor1d(grad));
  const make = (start: Float32Array | number[]): { p: Variable } => ({ p: variable(start) });
  const whole = make(START);
  const adam = createAdam(whole, { weightDecay: 0.01 });
  for (const grad of grads) adam.step({ p: grad }, 0.1);

  const first = make(START);
  const firstAdam = createAdam(first, { weightDecay: 0.01 });
  for (const grad of grads.slice(0, 2)) firstAdam.step({ p: grad }, 0.1);
  const saved = firstAdam.state();
  assert.equal(Object.keys(saved).sort(), ['m/p', 'step', 'v/p']);
  // A saved state is a snapshot: further steps must not change it.
  const halfway = first.p.dataSync();
  firstAdam.step({ p: grads[0]! }, 0.1);

  const second = make(halfway as Float32Array);
  const secondAdam = createAdam(second, { weightDecay: 0.01 });
  secondAdam.restore(saved);
  tf.dispose(saved);
  for (const grad of grads.slice(2)) secondAdam.step({ p: grad }, 0.1);
  assert.equal(second.p.dataSync(), whole.p.dataSync());
});

test('a parameter without a gradient stays, with its moments', () => {
  const params = { a: tf.variable(tf.tensor1d([1])), b: tf.variable(tf.tensor1d([1])) };
  const adam = createAdam(params, { weightDecay: 0.5 });
  adam.step({ a: tf.tensor1d([1]) }, 0.1);
  assert.is(params.b.dataSync()[0], 1);
  assert.is.not(params.a.dataSync()[0], 1);
  assert.is(adam.state()['m/b']!.dataSync()[0], 0);
});

test('noDecay spares a parameter', () => {
  const params = { w: tf.variable(tf.tensor1d([1])), b: tf.variable(tf.tensor1d([1])) };
  const adam = createAdam(params, { weightDecay: 0.5, noDecay: ['b'] });
  adam.step({ w: tf.tensor1d([0]), b: tf.tensor1d([0]) }, 0.1);
  assert.ok(Math.abs(params.w.dataSync()[0]! - 0.95) < 1e-6);
  assert.is(params.b.dataSync()[0], 1);
});

test('refuses a state or a gradient that does not fit', () => {
  const adam = createAdam({ p: tf.variable(tf.tensor1d([1, 2])) });
  assert.throws(() => adam.step({ q: tf.scalar(1) }, 0.1), /unknown parameter 'q'/);
  assert.throws(() => adam.restore({ step: tf.scalar(1, 'int32') }), /lacks 'm\/p'/);
  const wrong = { step: tf.scalar(1, 'int32'), 'm/p': tf.zeros([3]), 'v/p': tf.zeros([2]) };
  assert.throws(() => adam.restore(wrong), /shape \[3\], expected \[2\]/);
});

test('forget: moments return to 0 where the mask is 1, and the next step is that of a parameter without a past there', () => {
  const w = tf.variable(tf.tensor2d([1, 1, 1, 1], [2, 2]));
  const adam = createAdam({ w });
  const grad = (values: number[]) => ({ w: tf.tensor2d(values, [2, 2]) });
  tf.tidy(() => adam.step(grad([1, 2, 3, 4]), 0.1));
  const before = tf.memory().numTensors;
  tf.tidy(() => adam.forget({ w: tf.tensor2d([1, 0], [2, 1]) }));
  assert.is(tf.memory().numTensors, before);
  const state = adam.state();
  allclose(state['m/w']!.dataSync(), [0, 0, 0.3, 0.4], { rtol: 1e-6 });
  allclose(state['v/w']!.dataSync(), [0, 0, 0.009, 0.016], { rtol: 1e-5 });
  tf.dispose(state);
  assert.throws(() => adam.forget({ other: tf.scalar(1) }), /unknown parameter 'other'/);
  w.dispose();
  adam.dispose();
});

test.run();
