/** @file Packed products against the ordinary product of the same float32 weight: the same bits, for every type and size. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from '../../io/float16.ts';
import { initBackend, probeBackends } from '../backend.ts';
import { runKernel } from '../kernels/own.ts';
import { createRng } from '../rng.ts';
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { type BlockShape, servesBlock } from './block.ts';
import {
  canPackLinear,
  heldAs,
  packedLinear,
  packedRows,
  packLinear,
  type StoredType,
  unpackLinear,
} from './packed-linear.ts';

const test = suite('num/ops/packed-linear');
const native = (await probeBackends()).some(({ name, available }) => name === 'native' && available);
const rng = createRng('packed-linear');
const draw = (size: number) => rng.fillNormal(new Float32Array(size));

/** Numbers as a file of the type gives them, the ends of its range among them. */
const ROUNDED: Record<StoredType, (values: Float32Array) => Float32Array> = {
  F32: (values) => values,
  BF16: (values) => bfloatToFloat(floatToBfloat(values)),
  F16: (values) => halfToFloat(floatToHalf(values)),
};
const EXTREMES: Record<StoredType, number[]> = {
  F32: [0, -0, 1e-45, -3.4e38],
  BF16: [0, -0, 2 ** -133, -(2 ** -126), 2 ** 127, -1.5],
  F16: [0, -0, 2 ** -24, -3 * 2 ** -24, 1023 * 2 ** -24, 2 ** -14, -65504, 1.5],
};

function weightOf(type: StoredType, out: number, width: number): Tensor2D {
  const values = draw(out * width);
  values.set(EXTREMES[type].slice(0, values.length));
  return tf.tensor2d(ROUNDED[type](values), [out, width]);
}

const bits = (x: { dataSync(): unknown }) => new Int32Array((x.dataSync() as Float32Array).slice().buffer);

if (!native) test('skipped: no native backend', () => undefined);
else {
  test.before(async () => {
    await initBackend('native');
  });

  const sizes: [number, number, number][] = [
    ...([1, 2, 8, 9, 11, 12, 13, 24, 25, 36, 37, 200, 390] as const).map((rows): [number, number, number] => [
      rows,
      300,
      70,
    ]),
    ...[
      [1, 5, 9],
      [3, 1, 33],
      [12, 513, 31],
      [13, 513, 32],
      [50, 256, 64],
      [260, 600, 290],
      [0, 8, 9],
    ].map((size) => size as [number, number, number]),
  ];
  for (const type of ['F32', 'BF16', 'F16'] as const) {
    test(`${type}: product, bias, gradient, weight and rows are the bits of the float32 weight`, () => {
      for (const [rows, width, out] of sizes) {
        tf.tidy(() => {
          const [weight, bias] = [weightOf(type, out, width), tf.tensor1d(draw(out))];
          const x = tf.tensor2d(draw(rows * width), [rows, width]);
          const transposed: Tensor2D = tf.transpose(weight);
          const packed = packLinear(weight, type);
          const size = `${rows}·${width}·${out}`;
          if (type !== 'F32') assert.is(packed.size, (width * Math.ceil(out / 32) * 32) / 2, 'two to a word');
          assert.equal(bits(unpackLinear(packed)), bits(transposed), size);
          assert.equal(bits(packedLinear(x, packed)), bits(tf.matMul(x, transposed)), size);
          const fused = tf.fused.matMul({ a: x, b: transposed, bias });
          assert.equal(bits(packedLinear(x, packed, bias)), bits(fused), `${size} with bias`);
          const ids = Int32Array.of(out - 1, 0, 3, 3);
          assert.equal(bits(packedRows(packed, ids)), bits(tf.gather(weight, ids)), size);
          if (rows === 0) return;
          const loss = (product: (x: Tensor2D) => Tensor2D) =>
            tf.grad((x) => tf.sum(tf.square(product(x as Tensor2D))));
          const found = loss((x) => packedLinear(x, packed, bias))(x);
          const expected = loss((x) => tf.add(tf.matMul(x, transposed), bias))(x);
          assert.equal(bits(found), bits(expected), `${size}, gradient`);
        });
      }
    });
  }

  test('in precision bf16 weights are held in pairs, and products are those of rounded factors, with a gradient', async () => {
    assert.is(heldAs('F32'), 'F32');
    if (!(await initBackend('native')).detail.includes('bf16')) return;
    await initBackend('native', 'bf16');
    assert.is(heldAs('F16'), 'BF16_PAIRS');
    assert.is(servesBlock({ d: 8, mlp: 8, heads: 1, kvHeads: 1, headDim: 8, gated: true } as BlockShape), false);
    tf.tidy(() => {
      const whole = tf.tensor2d(draw(40 * 70), [40, 70]);
      const x = tf.tensor2d(draw(13 * 70), [13, 70]);
      const round = (t: Tensor2D) => tf.tensor2d(ROUNDED.BF16(t.dataSync() as Float32Array), t.shape);
      const weight = round(whole);
      const packed = packLinear(whole, heldAs('F32'));
      assert.equal(bits(unpackLinear(packed)), bits(tf.transpose(weight)));
      assert.equal(bits(packedRows(packed, Int32Array.of(39, 0))), bits(tf.gather(weight, [39, 0])));
      const bias = tf.tensor1d(draw(40));
      const expected = tf.add(tf.matMul(round(x), weight, false, true), bias);
      const off = tf.max(tf.abs(tf.sub(packedLinear(x, packed, bias), expected))).dataSync()[0]!;
      assert.ok(off < 1e-4, `off by ${off}`);
      const found = tf.grad((x) => tf.sum(packedLinear(x as Tensor2D, packed, bias)))(x);
      const ones = tf.ones([13, 40]) as Tensor2D;
      assert.equal(bits(found as Tensor2D), bits(tf.matMul(ones, weight)));
    });
    await initBackend('native');
  });

  test('the transposed weight that gradients take is made once, and goes with the weight', () => {
    const before = tf.memory().numTensors;
    const weight = tf.tensor2d(ROUNDED.BF16(draw(20 * 30)), [20, 30]);
    const expected = tf.sum(weight, 0);
    const packed = packLinear(weight, 'BF16');
    const x = tf.tensor2d(draw(9 * 30), [9, 30]);
    tf.dispose(packedLinear(x, packed));
    assert.is(tf.memory().numTensors, before + 4, 'none without a gradient');
    for (let time = 0; time < 2; time++) {
      const found = tf.grad((x) => tf.sum(packedLinear(x as Tensor2D, packed)))(x);
      const off = tf.tidy(() => tf.max(tf.abs(tf.sub(found, expected))).dataSync()[0]!);
      assert.ok(off < 1e-5, `off by ${off}`);
      found.dispose();
      assert.is(tf.memory().numTensors, before + 5, `after ${time + 1}`);
    }
    tf.dispose({ packed, x, weight, expected });
    assert.is(tf.memory().numTensors, before);
  });

  test('what a type does not hold is refused, never rounded', () => {
    const wrong: [StoredType, number][] = [
      ...[1 + 2 ** -8, Number.NaN, 1e-45].map((value): [StoredType, number] => ['BF16', value]),
      ...[131072, 1 + 2 ** -11, 2 ** -25, Number.POSITIVE_INFINITY, 1e-45].map((value): [StoredType, number] => [
        'F16',
        value,
      ]),
    ];
    for (const [type, value] of wrong) {
      // A NaN with 16 digits is one of BF16's.
      if (type === 'BF16' && Number.isNaN(value)) continue;
      const weight = tf.tensor2d(new Float32Array(40).fill(1), [10, 4]);
      weight.dataSync()[37] = value;
      assert.throws(() => packLinear(weight, type), /a number that the 16-bit type does not hold/, `${type} ${value}`);
      weight.dispose();
    }
  });

  test('unknown ids, sizes and types that contradict the arrays are errors', () => {
    tf.tidy(() => {
      const packed = packLinear(weightOf('BF16', 20, 6), 'BF16');
      for (const id of [-1, 20, 2 ** 30]) {
        assert.throws(() => packedRows(packed, Int32Array.of(0, id)), /an id that the table has no row of/);
      }
      const x = tf.tensor2d(draw(12), [2, 6]);
      const call = (attrs: object) => () => runKernel('SaxLinear', { x, packed }, { ...packed.layout, ...attrs });
      for (const attrs of [{ in: 7 }, { out: 33 }, { type: 'F32' }, { in: -1 }, { in: 2 ** 40 }]) {
        assert.throws(call(attrs), /wrong type or is too short|size is missing or out of range|shapes do not fit/);
      }
      assert.throws(call({ type: 'F64' }), /unknown type of weights/);
      for (const width of [5, 7]) {
        const other = tf.zeros([2, width]) as Tensor2D;
        assert.throws(() => packedLinear(other, packed), /expected x \[rows, 6\] .*, found x \[2,[57]\]$/);
      }
      for (const size of [3, 21]) {
        assert.throws(() => packedLinear(x, packed, tf.zeros([size]) as Tensor1D), /found x \[2,6\] and a bias \[/);
      }
    });
  });

  test('layers with few outputs keep the ordinary product, and so does every other backend', async () => {
    assert.is(canPackLinear([8, 100]), false);
    assert.is(canPackLinear([9, 100]), true);
    await initBackend('cpu');
    assert.is(canPackLinear([9, 100]), false);
    await initBackend('native');
  });
}

test.run();
