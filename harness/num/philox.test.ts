/** @file Known-answer vectors of Random123 for Philox4x32-10, and key derivation. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deriveKey, philox4x32 } from './philox.ts';

const test = suite('philox');

/** From Random123's kat_vectors (`philox4x32 10`): counter, key, expected. */
const VECTORS: [number[], number[], number[]][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test('matches the published known answers', () => {
  for (const [counter, key, expected] of VECTORS) {
    const out = new Uint32Array(4);
    philox4x32(Uint32Array.from(counter), Uint32Array.from(key), out);
    assert.equal([...out], expected);
  }
});

test('may write over its counter', () => {
  const counter = new Uint32Array(4);
  philox4x32(counter, new Uint32Array(2), counter);
  assert.equal([...counter], VECTORS[0]![2]);
});

test('derived keys differ for labels that differ in content, length or trailing zero bytes', () => {
  const parent = new Uint32Array(2);
  const labels = ['', '\0', '\0\0', 'a', 'b', 'ab', 'x'.repeat(12), 'x'.repeat(13), 'x'.repeat(28), 'é'];
  const keys = new Set(labels.map((label) => deriveKey(parent, label).join()));
  assert.is(keys.size, labels.length);
  assert.equal([...parent], [0, 0]);
});

test.run();
