/** @file SaxEncodeTopK against the product, the bias and TopK one after another. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { input, nativeReady, type Source, source, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native encode and top k');

type Sizes = [n: number, d: number, features: number, k: number];

/** Values and indices by the kernel and by the composition, from inputs that `value` makes. */
function both([n, d, features, k]: Sizes, value: (from: Source) => number, seed = 1) {
  const from = source(seed);
  const make = (shape: number[]) => {
    const { values } = input(from, shape);
    return tf.tensor(
      values.map(() => value(from)),
      shape,
    );
  };
  tf.setBackend('native');
  const before = tf.memory().numTensors;
  const result = tf.tidy(() => {
    const [x, W_enc, bias] = [make([n, d]), make([d, features]), make([features])];
    const fused = tf.engine().runKernel('SaxEncodeTopK', { x, W_enc, bias }, { k }) as tf.Tensor[];
    const { values, indices } = tf.topk(tf.add(tf.matMul(x, W_enc), bias), k, true);
    assert.equal(fused[0]!.shape, [n, k]);
    assert.is(fused[1]!.dtype, 'int32');
    return {
      fused: fused.map((t) => Array.from(t.dataSync())),
      composed: [values, indices].map((t) => Array.from(t.dataSync())),
    };
  }) as unknown as { fused: number[][]; composed: number[][] };
  assert.is(tf.memory().numTensors, before);
  return result;
}

test('whole numbers, exact, with many ties: same values and same indices', () => {
  const sizes: Sizes[] = [
    [1, 1, 1, 1],
    [3, 2, 7, 7],
    [5, 9, 33, 4],
    [97, 3, 1025, 16],
    [200, 4, 2100, 3],
    [13, 300, 70, 32],
  ];
  for (const size of sizes) {
    const { fused, composed } = both(size, (from) => from.int(5) - 2);
    assert.equal(fused, composed, `${size}`);
  }
});

test('real numbers: the same bits as the blocked product', () => {
  for (const size of [
    [100, 64, 1500, 8],
    [50, 515, 300, 20],
    [193, 130, 96, 96],
    // As few rows as one task takes, several blocks deep and two tiles wide.
    [96, 600, 1100, 8],
  ] as Sizes[]) {
    const { fused, composed } = both(size, (from) => from.real(), size[0]);
    assert.equal(fused, composed, `${size}`);
  }
});

test('NaN comes last, infinities are ordered', () => {
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const k of [3, 40]) {
    const { fused, composed } = both([30, 2, 40, k], (from) => odd[from.int(24)] ?? from.int(4), 7);
    assert.equal(fused, composed);
  }
});

/** Values and indices of rows in groups, all at once and a group at a time. */
function grouped([n, d, features, k]: Sizes, ends: number[]) {
  const from = source(n);
  const width = features / ends.length;
  tf.setBackend('native');
  return tf.tidy(() => {
    const random = (...shape: number[]) => tf.tensor(input(from, shape).values, shape);
    const [x, W_enc, bias] = [random(n, d) as tf.Tensor2D, random(d, features) as tf.Tensor2D, random(features)];
    const encode = (inputs: Record<string, tf.Tensor>) =>
      tf.engine().runKernel('SaxEncodeTopK', inputs, { k }) as [tf.Tensor2D, tf.Tensor2D];
    const whole = encode({ x, W_enc, bias, ends: tf.tensor1d(ends, 'int32') });
    const parts = ends.map((end, group) => {
      const [begin, at] = [ends[group - 1] ?? 0, group * width];
      const [values, indices] = encode({
        x: tf.slice(x, [begin, 0], [end - begin, d]),
        W_enc: tf.slice(W_enc, [0, at], [d, width]),
        bias: tf.slice(bias, [at], [width]),
      });
      return [[...values.dataSync()], [...indices.dataSync()].map((index) => index + at)] as const;
    });
    return {
      whole: whole.map((tensor) => [...tensor.dataSync()]),
      parts: [parts.flatMap(([values]) => values), parts.flatMap(([, indices]) => indices)],
    };
  }) as unknown as { whole: number[][]; parts: number[][] };
}

test('rows in groups: each by its own part of the columns, with the bits of that part alone', () => {
  const cases: [Sizes, number[]][] = [
    [
      [9, 5, 12, 3],
      [2, 2, 9],
    ],
    [
      [40, 70, 99, 4],
      [0, 40, 40],
    ],
    [[300, 33, 64, 8], Array.from({ length: 8 }, (_, g) => Math.floor(300 * ((g + 1) / 8) ** 2))],
    [[4, 3, 6, 6], [4]],
    // Wide enough for screening, where the CPU has it.
    [
      [500, 200, 2048, 16],
      [100, 101, 101, 500],
    ],
    [
      [0, 3, 6, 2],
      [0, 0],
    ],
  ];
  for (const [sizes, ends] of cases) {
    const { whole, parts } = grouped(sizes, ends);
    assert.equal(whole, parts, `${sizes} in ${ends}`);
  }
});

test('groups that do not fit the rows or the columns are refused', () => {
  for (const ends of [
    [3, 2, 9],
    [-1, 9],
    [9, 9, 10],
    [9, 9, 8],
    [4, 5],
  ]) {
    assert.throws(() => grouped([9, 5, 12, 2], ends), /do not ascend/, `${ends}`);
  }
  assert.throws(() => grouped([9, 5, 12, 7], [4, 9]), /out of range/);
});

test('no rows give no codes; an impossible k is refused', () => {
  assert.equal(both([0, 3, 5, 2], (from) => from.real()).fused, [[], []]);
  assert.throws(() => both([2, 3, 5, 6], (from) => from.real()), /out of range/);
});

if (ready) test.run();
