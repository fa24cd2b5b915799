/** @file kronTopkEncode: the backends among one another, with ties, masks and odd factors; what does not fit is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { initBackend } from '../backend.ts';
import { createRng } from '../rng.ts';
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { kronTopkEncode } from './kron-encode.ts';

const test = suite('kron encode');
const backends = await testBackends();

interface Problem {
  rows: number;
  d: number;
  heads: number;
  m: number;
  n: number;
  k: number;
  masked: boolean;
  value: (random: () => number) => number;
}

const whole = (random: () => number) => Math.floor(5 * random()) - 2;
const real = (random: () => number) => random() - 0.5;
const odd = (random: () => number) => [1e20, 1e30, 1e-30, 0, -1][Math.floor(8 * random())] ?? 1;
const PROBLEMS: Problem[] = [
  { rows: 5, d: 3, heads: 1, m: 1, n: 1, k: 1, masked: false, value: whole },
  { rows: 40, d: 2, heads: 7, m: 2, n: 4, k: 9, masked: false, value: whole },
  { rows: 33, d: 4, heads: 5, m: 3, n: 5, k: 20, masked: true, value: whole },
  { rows: 20, d: 6, heads: 40, m: 4, n: 8, k: 16, masked: false, value: real },
  { rows: 20, d: 6, heads: 64, m: 2, n: 7, k: 32, masked: true, value: real },
  // One input: the factors are the weights themselves.
  { rows: 6, d: 1, heads: 6, m: 2, n: 5, k: 60, masked: false, value: odd },
];

async function encode(backend: string, { rows, d, heads, m, n, k, masked, value }: Problem): Promise<number[][]> {
  await initBackend(backend as never);
  const rng = createRng('kron');
  const make = (...shape: number[]) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => value(() => rng.uniform()));
    return tf.tensor(values, shape);
  };
  const result = tf.tidy(() => {
    const x = value === odd ? (tf.ones([rows, d]) as Tensor2D) : (make(rows, d) as Tensor2D);
    const [W_base, W_extension] = [make(d, heads * m) as Tensor2D, make(d, heads * n) as Tensor2D];
    const among = Float32Array.from({ length: heads * m * n }, () => Math.floor(2 * rng.uniform()));
    const mask = masked ? (tf.tensor1d(among) as Tensor1D) : undefined;
    const encoder = { W_base, W_extension, centre: tf.zeros([d]) as Tensor1D };
    const { values, indices } = kronTopkEncode(x, encoder, { heads, m, n }, k, mask);
    return { numbers: [[...values.dataSync()], [...indices.dataSync()]] };
  }) as unknown as { numbers: number[][] };
  return result.numbers;
}

test('every backend gives the codes of the plain composition', async () => {
  for (const problem of PROBLEMS) {
    const [expected, ofLatents] = await encode('cpu', problem);
    for (const backend of backends) {
      const [values, indices] = await encode(backend, problem);
      const label = `${backend}, ${problem.heads} heads of ${problem.m} · ${problem.n}`;
      values!.forEach((value, i) => {
        const wanted = expected![i]!;
        assert.ok(
          Object.is(value, wanted) || Math.abs(value - wanted) < 1e-5 * Math.max(1, wanted),
          `${label}: ${value}`,
        );
      });
      assert.equal(indices, ofLatents, label);
    }
  }
});

test('a k beyond the latents is refused', async () => {
  for (const backend of backends) {
    const problem = { ...PROBLEMS[0]!, k: 2 };
    try {
      await encode(backend, problem);
      assert.unreachable(backend);
    } catch (error) {
      assert.match((error as Error).message, /k must be 1 to d_sae = 1, got 2/);
    }
  }
});

test('encoders of other heads are refused', async () => {
  for (const backend of backends) {
    await initBackend(backend);
    tf.tidy(() => {
      const [x, centre] = [tf.ones([2, 3]) as Tensor2D, tf.zeros([3]) as Tensor1D];
      const encoder = { W_base: tf.ones([3, 6]) as Tensor2D, W_extension: tf.ones([3, 15]) as Tensor2D, centre };
      for (const shape of [
        { heads: 2, m: 2, n: 5 },
        { heads: 3, m: 2, n: 4 },
      ]) {
        assert.throws(() => kronTopkEncode(x, encoder, shape, 3), /6 and 15 factors are not . heads/, backend);
      }
    });
  }
});

test.run();
