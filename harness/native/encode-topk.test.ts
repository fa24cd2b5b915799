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

test('no rows give no codes; an impossible k is refused', () => {
  assert.equal(both([0, 3, 5, 2], (from) => from.real()).fused, [[], []]);
  assert.throws(() => both([2, 3, 5, 6], (from) => from.real()), /out of range/);
});

if (ready) test.run();
