/** @file Kernels of training on backend webgpu: squared errors, firing and Adam against sums in float64 and the CPU's step; skipped where it does not start. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../num/allclose.ts';
import { initBackend } from '../num/backend.ts';
import { runKernel, runKernels } from '../num/kernels/own.ts';
import { type AdamOptions, createAdam } from '../num/optimiser.ts';
import { type Tensor2D, tf } from '../num/tf.ts';
import { unitNormRows } from '../num/unit-rows.ts';
import { source } from '../testing/against-cpu.ts';

const test = suite('webgpu training');
const started = await initBackend('webgpu').catch((error: Error) => console.log(`skipped: ${error.message}`));

const realsOf = (seed: number) => {
  const from = source(seed);
  return (size: number, offset = 0) => Float32Array.from({ length: size }, () => from.real() + offset);
};

/** [n, d]: one number, less than a share for each workgroup, and several terms for each thread. */
const BATCHES = [
  [1, 1],
  [129, 33],
  [900, 130],
] as const;

async function errors(n: number, d: number): Promise<void> {
  await initBackend('webgpu');
  const reals = realsOf(n);
  // A mean far above the deviation.
  const [y, guess] = [reals(n * d, 40), reals(n * d, 40)];
  const means = Array.from({ length: d }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += y[i * d + j]! / n;
    return sum;
  });
  let [residual, variance] = [0, 0];
  y.forEach((value, at) => {
    residual += (value - guess[at]!) ** 2;
    variance += (value - means[at % d]!) ** 2;
  });
  const compute = () =>
    tf.tidy(() => {
      const inputs = { target: tf.tensor2d(y, [n, d]), reconstruction: tf.tensor2d(guess, [n, d]) };
      return [
        runKernel('SaxSquaredErrors', inputs, { variance: true }).dataSync(),
        runKernel('SaxSquaredErrors', inputs).dataSync(),
        runKernel('SaxSquaredErrorGrad', { ...inputs, dy: tf.scalar(0.25) }).dataSync(),
      ];
    });
  const [first, again] = [compute(), compute()];
  assert.equal(again, first);
  const [both, alone, gradient] = first as [Float32Array, Float32Array, Float32Array];
  allclose(both, [residual, variance], { rtol: 5e-6, atol: 1e-6 });
  assert.is(alone[0], both[0]);
  const expected = Float64Array.from(y, (value, i) => 0.5 * (guess[i]! - value));
  allclose(gradient, expected, { rtol: 1e-6, atol: 1e-6 });
}

async function firing(n: number, d_sae: number): Promise<void> {
  await initBackend('webgpu');
  const from = source(3);
  const codes = Float32Array.from({ length: n * d_sae }, (_, i) =>
    i % d_sae === 5 || from.int(40) ? -0 : from.real(),
  );
  const counts = new Int32Array(d_sae);
  codes.forEach((value, i) => {
    if (value !== 0) counts[i % d_sae]!++;
  });
  const [fired, count] = tf.tidy(() =>
    runKernels('SaxFiring', { codes: tf.tensor2d(codes, [n, d_sae]) }).map((tensor) => Array.from(tensor.dataSync())),
  );
  assert.equal(
    fired,
    Array.from(counts, (each) => Number(each > 0)),
  );
  assert.equal(count, [counts.reduce((sum, each) => sum + each, 0), 0]);
  assert.ok(fired!.includes(0) && fired!.includes(1));
}

/** What three steps make of a decoder and a bias. */
async function trained(backend: 'webgpu' | 'cpu', [rows, width]: readonly [number, number], options: AdamOptions) {
  await initBackend(backend);
  const reals = realsOf(rows);
  const before = tf.memory().numTensors;
  const params = tf.tidy(() => ({
    W: tf.variable(unitNormRows(tf.tensor2d(reals(rows * width), [rows, width]))),
    b: tf.variable(tf.tensor1d(reals(300))),
  }));
  const adam = createAdam(params, options);
  for (let step = 0; step < 3; step++)
    tf.tidy(() =>
      adam.step({ W: tf.tensor2d(reals(rows * width), [rows, width]) as Tensor2D, b: tf.tensor1d(reals(300)) }, 0.02),
    );
  const { 'm/W': m, 'v/b': v, ...others } = adam.state();
  const found = [params.W, params.b, m!, v!].map((tensor) => tensor.dataSync());
  tf.dispose([m!, v!, others, params]);
  adam.dispose();
  assert.is(tf.memory().numTensors, before);
  return found;
}

const OPTIONS: Record<string, AdamOptions> = {
  plain: { weightDecay: 0.1, noDecay: ['b'] },
  'unit rows': { unitRows: ['W'], beta1: 0 },
  'unit rows, clipped': { unitRows: ['W'], clipNorm: 1.5 },
};

if (started) {
  for (const [n, d] of BATCHES)
    test(`squared errors and their gradient, the same bits twice: [${n}, ${d}]`, () => errors(n, d));
  test('firing: which latents, and how often in all', () => firing(300, 1000));
  for (const [name, options] of Object.entries(OPTIONS)) {
    test(`three steps of Adam, the same bits twice: ${name}`, async () => {
      // More rows than one dimension of a dispatch (65,535), once: a software driver takes its time.
      const shapes = [[70, 130] as const, ...(options.beta1 === 0 ? [[65_600, 2] as const] : [])];
      for (const shape of shapes) {
        const [found, again, expected] = [
          await trained('webgpu', shape, options),
          await trained('webgpu', shape, options),
          await trained('cpu', shape, options),
        ];
        for (const [i, values] of found.entries()) {
          assert.ok(Buffer.from(values.buffer).equals(Buffer.from(again[i]!.buffer)));
          allclose(values, expected[i]!, { rtol: 1e-5, atol: 1e-6 });
        }
      }
    });
  }
}

test.run();
