/** @file Which arrays are kept for the next tensor, and that the memory of all others comes back at once. */
import { totalmem } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, tf } from '../testing/against-cpu.ts';
import type { NativeBackend } from './backend.ts';
import { Recycling } from './recycling.ts';

const ready = await nativeReady();
const test = suite('native recycling');
/** What `recycling.ts` keeps at most, in float32 numbers. */
const CAPACITY = Math.min(2 ** 31, Math.floor(totalmem() / 16)) / 4;
/** Of the addon as the backend has it. Pages that nobody writes to take no memory. */
const fresh = () => new Recycling(Reflect.get(tf.backend() as NativeBackend, 'addon'));

test('an array given back serves the next tensor of about its size', () => {
  const arrays = fresh();
  const first = arrays.take('float32', 5000);
  const { buffer } = first;
  arrays.give(first);
  assert.is(arrays.take('int32', 4950).buffer, buffer);
  assert.is.not(arrays.take('float32', 5000).buffer, buffer);
});

test('sizes not used for longest make way, and give their memory back at once', () => {
  const arrays = fresh();
  const held = [0.3, 0.35, 0.4].map((share) => arrays.take('float32', Math.floor(CAPACITY * share)));
  const buffers = held.map(({ buffer }) => buffer);
  for (const values of held) arrays.give(values);
  assert.equal(
    buffers.map(({ byteLength }) => byteLength > 0),
    [false, true, true],
  );
  assert.is(arrays.take('float32', held[2]!.length).buffer, buffers[2]);
});

test('an array that would fill what is kept is not kept', () => {
  const arrays = fresh();
  const large = arrays.take('float32', Math.floor(CAPACITY * 0.6));
  arrays.give(large);
  assert.equal([large.length, large.buffer.byteLength], [0, 0]);
});

test('only an ArrayBuffer can be released', () => {
  const addon = Reflect.get(tf.backend() as NativeBackend, 'addon') as { release(x: unknown): void };
  for (const wrong of [undefined, 3, {}, new Float32Array(2)])
    assert.throws(() => addon.release(wrong), /expected an ArrayBuffer/);
});

if (ready) test.run();
