/** @file Tests of half precision and bfloat16: every pattern, rounding to nearest even. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from './float16.ts';

const test = suite('io/float16');
const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);

test('half precision: known values', () => {
  const known: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x03ff, 1023 * 2 ** -24],
    [0x0001, 2 ** -24],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x3555, 0.333251953125],
  ];
  for (const [bits, value] of known) {
    assert.is(halfToFloat(Uint16Array.of(bits))[0], value);
    assert.is(floatToHalf(Float32Array.of(value))[0], bits);
  }
  assert.ok(Object.is(halfToFloat(Uint16Array.of(0x8000))[0], -0));
});

test('every pattern that is not NaN comes back from float32', () => {
  for (const [decode, encode, infinity] of [
    [halfToFloat, floatToHalf, 0x7c00],
    [bfloatToFloat, floatToBfloat, 0x7f80],
  ] as const) {
    const back = encode(decode(patterns));
    for (let bits = 0; bits < 65536; bits++) {
      const nan = (bits & 0x7fff) > infinity;
      if (nan) assert.ok((back[bits]! & 0x7fff) > infinity);
      else if (back[bits] !== bits) assert.unreachable(`pattern ${bits} came back as ${back[bits]}`);
    }
  }
});

test('between two neighbours: the nearer one, and the even one from the middle', () => {
  for (const [decode, encode, last] of [
    [halfToFloat, floatToHalf, 0x7bfe],
    [bfloatToFloat, floatToBfloat, 0x7f7e],
  ] as const) {
    const values = decode(patterns);
    for (let bits = 0; bits < last; bits += 7) {
      const [low, high] = [values[bits]!, values[bits + 1]!];
      const middle = (low + high) / 2;
      const rounded = encode(Float32Array.of(low + (high - low) * 0.3, middle, low + (high - low) * 0.7));
      const even = Math.fround(middle) === middle ? bits + (bits & 1) : rounded[1]!;
      if (rounded[0] !== bits || rounded[1] !== even || rounded[2] !== bits + 1) {
        assert.unreachable(`near pattern ${bits}: ${rounded}`);
      }
    }
  }
  assert.is(floatToHalf(Float32Array.of(65519.99))[0], 0x7bff);
  assert.is(floatToHalf(Float32Array.of(65520))[0], 0x7c00);
});

test.run();
