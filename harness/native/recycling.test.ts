/** @file Which arrays are kept for the next tensor, and that the memory of all others comes back at once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady } from '../testing/against-cpu.ts';
import { startAddon } from './addon.ts';
import { CAPACITY, Recycling } from './recycling.ts';

const ready = await nativeReady();
const test = suite('native recycling');
/** An array that takes this share of what is kept at most: none of its pages is written to, so it takes no memory. */
const sharing = (arrays: Recycling, share: number) => arrays.take('float32', Math.floor((CAPACITY * share) / 4));

test('an array given back serves the next tensor of about its size', () => {
  const arrays = new Recycling(startAddon());
  const first = arrays.take('float32', 5000);
  const { buffer } = first;
  arrays.give(first);
  assert.is(arrays.take('int32', 4950).buffer, buffer);
  assert.is.not(arrays.take('float32', 5000).buffer, buffer);
});

test('sizes not used for longest make way, and give their memory back at once', () => {
  const arrays = new Recycling(startAddon());
  const held = [0.3, 0.35, 0.4].map((share) => sharing(arrays, share));
  const buffers = held.map(({ buffer }) => buffer);
  for (const values of held) arrays.give(values);
  assert.equal(
    buffers.map(({ byteLength }) => byteLength > 0),
    [false, true, true],
  );
  assert.is(arrays.take('float32', held[2]!.length).buffer, buffers[2]);
});

test('an array that would fill what is kept is not kept', () => {
  const arrays = new Recycling(startAddon());
  const large = sharing(arrays, 0.6);
  arrays.give(large);
  assert.equal([large.length, large.buffer.byteLength], [0, 0]);
});

test('only an ArrayBuffer can be released', () => {
  const addon = startAddon() as { release(x: unknown): void };
  for (const wrong of [undefined, 3, {}, new Float32Array(2)])
    assert.throws(() => addon.release(wrong), /expected an ArrayBuffer/);
});

if (ready) test.run();
