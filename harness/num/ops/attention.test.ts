/** @file Attention, rotary positions, activations and the cache against float64 definitions, on every backend that starts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { checkGradient, type Input } from '../finite-difference.ts';
import { createRng } from '../rng.ts';
import { type Scalar, type Tensor, type Tensor2D, tf } from '../tf.ts';
import { type AttentionOptions, attention } from './attention.ts';
import { createKeyValueCache } from './key-value-cache.ts';
import { rotary } from './rotary.ts';

const test = suite('num/ops/attention');
const backends = await testBackends();
const rng = createRng('attention');
const normal = (...shape: number[]): Input => ({
  shape,
  values: Array.from(rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)))),
});
const tensor = ({ values, shape }: Input) => tf.tensor2d(values, shape as [number, number]);
const weights = (n: number) => Array.from({ length: n }, (_, i) => ((i * 7) % 11) / 5 - 1);
const weighted = (y: Tensor): Scalar => tf.sum(tf.mul(tf.reshape(y, [-1]), weights(y.size)));
const weightedSum = (y: number[]) => y.reduce((total, value, i) => total + weights(y.length)[i]! * value, 0);

type Case = Omit<AttentionOptions, 'seen'> & { capacity: number; columns: number; mask?: number[] };

/** The definition, in float64, one query at a time. */
function reference(q: number[], k: number[], v: number[], c: Case): number[] {
  const { n, t, heads, kvHeads, headDim, capacity, columns, causal, mask } = c;
  const { scale = headDim ** -0.5, window = Infinity, cap } = c;
  const out = new Array<number>(n * t * heads * headDim).fill(0);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < t; i++) {
      for (let h = 0; h < heads; h++) {
        const at = ((row * t + i) * heads + h) * headDim;
        const group = Math.floor((h * kvHeads) / heads);
        const keyAt = (j: number) => ((row * capacity + j) * kvHeads + group) * headDim;
        const scores: [number, number][] = [];
        for (let j = 0; j < columns; j++) {
          const own = i + columns - t;
          if ((causal && (j > own || j <= own - window)) || (mask && !mask[row * columns + j])) continue;
          let dot = 0;
          for (let d = 0; d < headDim; d++) dot += q[at + d]! * k[keyAt(j) + d]!;
          scores.push([j, Math.exp(cap === undefined ? dot * scale : cap * Math.tanh((dot * scale) / cap))]);
        }
        const total = scores.reduce((sum, [, weight]) => sum + weight, 0);
        for (const [j, weight] of scores) {
          for (let d = 0; d < headDim; d++) out[at + d]! += (weight / total) * v[keyAt(j) + d]!;
        }
      }
    }
  }
  return out;
}

function inputsOf({ n, t, heads, kvHeads, headDim, capacity }: Case): [Input, Input, Input] {
  const keys = () => normal(n * capacity, kvHeads * headDim);
  return [normal(n * t, heads * headDim), keys(), keys()];
}

function run([q, k, v]: Tensor2D[], { mask, capacity: _, ...options }: Case): Tensor2D {
  const seen = mask && tf.tensor2d(mask, [options.n, options.columns], 'bool');
  return attention(q!, k!, v!, { ...options, ...(seen && { seen }) });
}

const size = (n: number, t: number, columns: number, heads: number, kvHeads: number, headDim: number) => {
  return { n, t, columns, capacity: columns, heads, kvHeads, headDim };
};

const CASES: [string, Case][] = [
  ['one of each', size(1, 1, 1, 1, 1, 1)],
  ['an odd head', size(2, 5, 5, 3, 3, 7)],
  ['a vision tower', size(3, 65, 65, 4, 4, 24)],
  ['causal, groups', { ...size(2, 33, 33, 4, 2, 32), causal: true }],
  ['causal, eight wide', { ...size(2, 70, 70, 8, 4, 8), causal: true }],
  ['one query, long past', { ...size(5, 1, 300, 6, 2, 20), causal: true }],
  ['one query, room to spare', { ...size(3, 1, 17, 4, 1, 64), capacity: 40, causal: true }],
  ['some queries after a past', { ...size(2, 6, 50, 4, 2, 16), capacity: 64, causal: true }],
  ['several blocks of queries', { ...size(1, 200, 700, 2, 1, 40), causal: true }],
  ['the first column asks all', size(3, 1, 65, 4, 4, 24)],
  ['hidden columns', { ...size(2, 3, 4, 2, 2, 5), mask: [1, 0, 1, 1, 0, 1, 0, 0] }],
  ['a row that sees nothing', { ...size(2, 1, 3, 2, 1, 4), mask: [0, 0, 0, 1, 1, 0] }],
  ['left padding, causal', { ...size(2, 4, 4, 2, 1, 6), causal: true, mask: [0, 0, 1, 1, 1, 1, 1, 1] }],
  ['another scale, a window of all', { ...size(2, 5, 5, 4, 2, 8), causal: true, scale: 0.7, window: 5 }],
  ['a window', { ...size(2, 9, 9, 4, 2, 6), causal: true, window: 3 }],
  ['a window of one', { ...size(1, 4, 4, 1, 1, 3), causal: true, window: 1 }],
  ['a window over some queries after a past', { ...size(2, 3, 11, 2, 1, 4), capacity: 14, causal: true, window: 4 }],
  ['a window over several blocks of queries', { ...size(1, 200, 700, 2, 1, 40), causal: true, window: 90 }],
  [
    'a window, left padding',
    { ...size(2, 5, 5, 2, 1, 6), causal: true, window: 2, mask: [0, 0, 1, 1, 1, 1, 1, 1, 1, 1] },
  ],
  ['a window before one query', { ...size(2, 1, 11, 2, 1, 4), capacity: 14, causal: true, window: 4 }],
  ['capped scores', { ...size(2, 5, 5, 2, 2, 4), cap: 0.8 }],
  [
    'all of it, and left padding',
    { ...size(2, 4, 4, 2, 1, 6), causal: true, window: 2, cap: 1.5, scale: 1, mask: [0, 0, 1, 1, 1, 1, 1, 1] },
  ],
  ['no rows', size(0, 3, 3, 2, 2, 4)],
  ['no queries', size(2, 0, 3, 2, 2, 4)],
  ['no columns', size(2, 3, 0, 2, 2, 4)],
];

for (const backend of backends) {
  for (const [name, c] of CASES) {
    test(`${backend}: attention, ${name}`, async () => {
      await initBackend(backend);
      const inputs = inputsOf(c);
      const before = tf.memory().numTensors;
      const expected = reference(inputs[0].values, inputs[1].values, inputs[2].values, c);
      tf.tidy(() => {
        const y = run(inputs.map(tensor), c);
        assert.equal(y.shape, [c.n * c.t, c.heads * c.headDim]);
        allclose(y.dataSync(), expected, { rtol: 1e-5, atol: 1e-5 });
      });
      assert.is(tf.memory().numTensors, before);
    });
  }

  const gradientCases: [string, Case][] = [
    ['an odd head', size(2, 3, 3, 3, 3, 3)],
    ['causal, groups', { ...size(1, 4, 4, 4, 2, 2), causal: true }],
    ['after a past, room to spare', { ...size(2, 2, 3, 2, 1, 2), capacity: 4, causal: true }],
    ['hidden columns, a row that sees nothing', { ...size(2, 2, 3, 2, 1, 3), mask: [1, 0, 1, 0, 0, 0] }],
    ['another scale', { ...size(1, 3, 3, 2, 1, 2), causal: true, scale: 1.3 }],
    [
      'a window, hidden columns',
      { ...size(2, 4, 4, 2, 1, 2), causal: true, window: 2, mask: [0, 1, 1, 1, 1, 1, 0, 1] },
    ],
    ['a window, capped scores', { ...size(1, 4, 4, 2, 1, 2), causal: true, window: 2, cap: 0.9 }],
  ];
  for (const [name, c] of gradientCases) {
    test(`${backend}: attention's gradient, ${name}`, async () => {
      await initBackend(backend);
      const value = (q: number[], k: number[], v: number[]) => weightedSum(reference(q, k, v, c));
      checkGradient((q, k, v) => weighted(run([q, k, v] as Tensor2D[], c)), value, inputsOf(c));
    });
  }

  test(`${backend}: rotary turns pairs by their position's angle, and its gradient`, async () => {
    await initBackend(backend);
    // Two rows of the batch, three positions, two heads, width 4.
    const angles = [0.3, -1.2, 0.7, 2, -0.1, 1];
    const turned = (x: number[]) =>
      x.map((value, i) => {
        const [place, angle] = [i % 4, angles[(Math.floor(i / 8) % 3) * 2 + (i % 2)]!];
        const other = x[place < 2 ? i + 2 : i - 2]!;
        return value * Math.cos(angle) + (place < 2 ? -other : other) * Math.sin(angle);
      });
    const op = (x: Tensor) => {
      const [cos, sin] = [Math.cos, Math.sin].map((f) => tf.tensor2d(angles.map(f), [3, 2])) as [Tensor2D, Tensor2D];
      return rotary(x as Tensor2D, { cos, sin }, 2);
    };
    const input = normal(6, 8);
    tf.tidy(() => allclose(op(tensor(input)).dataSync(), turned(input.values)));
    // Texts without a token have no positions.
    const none = tf.zeros([0, 2]) as Tensor2D;
    const nothing = rotary(tf.zeros([0, 8]) as Tensor2D, { cos: none, sin: none }, 2);
    assert.equal(nothing.shape, [0, 8]);
    tf.dispose([none, nothing]);
    tf.tidy(() => {
      const wide = normal(6, 10);
      assert.throws(() => op(tensor(wide)), /rotary: expected x \[rows, 8\]/);
      assert.throws(() => op(tensor(normal(5, 8))), /rows a multiple of 3/);
    });
    checkGradient(
      (x) => tf.tidy(() => weighted(op(x))),
      (x) => weightedSum(turned(x)),
      [input],
    );
  });

  test(`${backend}: the cache holds what was added, for the rows kept`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    const cache = createKeyValueCache(3, 4, 2);
    tf.tidy(() => {
      const rows = (from: number, count: number) =>
        tf.tensor2d(
          Array.from({ length: count * 2 }, (_, i) => from + i),
          [count, 2],
        );
      cache.append(rows(0, 6), rows(100, 6));
      cache.selectRows([2, 0]);
      const { k, v, columns } = cache.append(rows(50, 2), rows(150, 2));
      assert.is(columns, 3);
      const held = (x: Tensor2D) => tf.slice(tf.reshape(x, [2, x.shape[0] / 2, 2]), [0, 0, 0], [2, 3, 2]).dataSync();
      assert.equal([...held(k)], [8, 9, 10, 11, 50, 51, 0, 1, 2, 3, 52, 53]);
      assert.equal([...held(v)], [108, 109, 110, 111, 150, 151, 100, 101, 102, 103, 152, 153]);
      assert.throws(() => cache.append(rows(0, 4), rows(0, 4)), /3 and 2 columns, room for 4/);
    });
    cache.dispose();
    assert.is(tf.memory().numTensors, before);
  });
}

test('sizes that contradict one another are refused', async () => {
  await initBackend('cpu');
  const [q, k] = [tf.zeros([4, 6]) as Tensor2D, tf.zeros([4, 2]) as Tensor2D];
  const options = { n: 2, t: 2, heads: 3, kvHeads: 1, headDim: 2 };
  assert.throws(() => attention(q, k, k, { ...options, heads: 2 }), /q: expected \[4,4\], found \[4,6\]/);
  assert.throws(() => attention(q, k, k, { ...options, columns: 3 }), /3 of 2 columns/);
  assert.throws(() => attention(q, k, k, { ...options, columns: 1, causal: true }), /do not fit/);
  assert.throws(() => attention(q, k, k, { ...options, window: 1 }), /with causal, found 1/);
  assert.throws(() => attention(q, k, k, { ...options, causal: true, window: 0 }), /at least 1 column.*, found 0/);
  const seen = tf.ones([2, 3], 'bool') as Tensor2D;
  assert.throws(() => attention(q, k, k, { ...options, seen }), /seen: expected \[2,2\]/);
  tf.dispose([q, k, seen]);
});

test.run();
