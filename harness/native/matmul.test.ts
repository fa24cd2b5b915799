/** @file Native matrix products against tfjs's CPU backend. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { input, nativeReady, sameAsCpu, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native matMul');

const matrix = (rows: number, cols: number, transposed: boolean) => (transposed ? [cols, rows] : [rows, cols]);

test('all transposes over odd sizes, empty ones and long sums', () => {
  const sizes: [number, number, number][] = [
    ...([
      [1, 1, 1],
      [3, 5, 2],
      [1, 300, 70],
      [2, 64, 33],
      [9, 7, 1],
      [13, 600, 12],
      [12, 17, 32],
    ] as [number, number, number][]),
    ...([
      [40, 260, 70],
      [193, 33, 65],
      [200, 515, 97],
      [0, 4, 3],
      [4, 0, 3],
      [4, 3, 0],
      [70, 9, 3],
    ] as [number, number, number][]),
  ];
  for (const [m, k, n] of sizes) {
    for (const ta of [false, true]) {
      for (const tb of [false, true]) {
        const from = source(m * 31 + k * 7 + n);
        const inputs = [input(from, matrix(m, k, ta)), input(from, matrix(k, n, tb))];
        sameAsCpu(`${ta} ${tb}`, inputs, (a, b) => tf.matMul(a!, b!, ta, tb), 1e-5, Math.sqrt(k));
      }
    }
  }
});

test('batches, equal and broadcast', () => {
  const from = source(4);
  const batches: [number[], number[]][] = [
    ...([
      [[3], [3]],
      [[5], [1]],
      [[1], [5]],
      [
        [2, 3],
        [2, 3],
      ],
      [[7], []],
      [[], [7]],
    ] as [number[], number[]][]),
  ];
  for (const [a, b] of batches) {
    for (const ta of [false, true]) {
      for (const tb of [false, true]) {
        const inputs = [input(from, [...a, ...matrix(19, 21, ta)]), input(from, [...b, ...matrix(21, 35, tb)])];
        sameAsCpu('batched', inputs, (x, y) => tf.matMul(x!, y!, ta, tb), 1e-5, 5);
      }
    }
  }
});

test('batches broadcast on both sides', () => {
  tf.setBackend('native');
  const from = source(11);
  const a = input(from, [2, 1, 4, 3]);
  const b = input(from, [1, 5, 3, 6]);
  tf.tidy(() => {
    const [x, y] = [tf.tensor(a.values, a.shape), tf.tensor(b.values, b.shape)];
    const both = tf.matMul(x, y);
    assert.equal(both.shape, [2, 5, 4, 6]);
    const single = tf.matMul(
      tf.reshape(tf.slice(x, [1, 0, 0, 0], [1, 1, 4, 3]), [4, 3]),
      tf.reshape(tf.slice(y, [0, 3, 0, 0], [1, 1, 3, 6]), [3, 6]),
    );
    assert.equal(tf.reshape(tf.slice(both, [1, 3, 0, 0], [1, 1, 4, 6]), [4, 6]).dataSync(), single.dataSync());
  });
});

test('NaN and infinity spread along their row and column only', () => {
  const from = source(12);
  const a = input(from, [30, 40]);
  a.values[3 * 40 + 2] = Number.NaN;
  a.values[9 * 40 + 2] = Number.POSITIVE_INFINITY;
  sameAsCpu('special values', [a, input(from, [40, 50])], (x, y) => tf.matMul(x!, y!), 1e-5, 5);
});

test('fused bias and activation', () => {
  const from = source(13);
  const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;
  for (const activation of activations) {
    for (const [m, k, n] of [
      [3, 5, 4],
      [40, 20, 33],
      [1, 64, 100],
      [64, 30, 2],
    ] as const) {
      for (const biasShape of [[n], [1, n], [m, n], [], undefined]) {
        const inputs = [input(from, [m, k]), input(from, [k, n]), input(from, [n]), input(from, biasShape ?? [1])];
        const run = (a: tf.Tensor, b: tf.Tensor, alpha: tf.Tensor, bias: tf.Tensor) => {
          const preluActivationWeights = activation === 'prelu' ? alpha : undefined;
          return tf.fused.matMul({
            a,
            b,
            bias: biasShape ? bias : undefined,
            activation,
            preluActivationWeights,
            leakyreluAlpha: 0.1,
          } as never);
        };
        sameAsCpu(`fused ${activation}`, inputs, run as never, 1e-5, 5);
      }
    }
  }
});

test('the same bits at every run', () => {
  tf.setBackend('native');
  const from = source(14);
  const [a, b] = [input(from, [300, 700]), input(from, [700, 400])];
  const run = () =>
    tf.tidy(() =>
      tf
        .matMul(tf.tensor2d(a.values, [300, 700]), tf.tensor2d(b.values, [700, 400]))
        .dataSync()
        .slice(),
    );
  const first = run();
  for (let i = 0; i < 5; i++) assert.equal(run(), first);
});

if (ready) test.run();
