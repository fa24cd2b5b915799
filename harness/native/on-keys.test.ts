/** @file The map that keeps its values on its keys. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, tf } from '../testing/against-cpu.ts';
import { OnKeys } from './on-keys.ts';

const ready = await nativeReady();
const test = suite('native maps on keys');

test('it answers as a WeakMap, and two of them do not see one another', () => {
  const [one, other, key] = [new OnKeys<object, number>(), new OnKeys<object, number>(), {}];
  assert.is(one.set(key, 0), one);
  assert.equal([one.has(key), one.get(key), other.has(key), other.get(key)], [true, 0, false, undefined]);
  assert.equal([one.delete(key), one.delete(key), one.has(key), one.get(key)], [true, false, false, undefined]);
});

test('tensors are counted, freed and moved between backends as before', () => {
  if (!ready) return;
  const before = { ...tf.memory() };
  const made = tf.tensor1d([1, 2, 3]);
  const doubled = tf.tidy(() => tf.mul(made, 2));
  assert.is(tf.memory().numDataBuffers, before.numDataBuffers + 2);
  const backend = tf.getBackend();
  tf.setBackend('cpu');
  const summed = tf.add(doubled, made);
  assert.equal(Array.from(summed.dataSync()), [3, 6, 9]);
  tf.setBackend(backend);
  const more = tf.add(summed, 1);
  assert.equal(Array.from(more.dataSync()), [4, 7, 10]);
  tf.dispose([made, doubled, summed, more]);
  assert.throws(() => made.dataSync(), /disposed/);
  const { numTensors, numDataBuffers } = tf.memory();
  assert.equal([numTensors, numDataBuffers], [before.numTensors, before.numDataBuffers]);
});

test.run();
