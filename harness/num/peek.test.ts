/** @file Peeking gives a tensor's numbers on every backend, and leaves their memory to the native one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady } from '../testing/against-cpu.ts';
import { initBackend } from './backend.ts';
import { peek } from './peek.ts';
import { tf } from './tf.ts';

const native = await nativeReady();
const test = suite('peek');

for (const backend of native ? (['wasm', 'cpu', 'native'] as const) : (['wasm', 'cpu'] as const)) {
  test(`the numbers of computed and given tensors: ${backend}`, async () => {
    await initBackend(backend);
    const given = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const computed = tf.mul(given, 2);
    const whole = tf.cast(given, 'int32');
    assert.equal([...(await peek(given))], [1, 2, 3, 4]);
    assert.equal([...(await peek(computed))], [2, 4, 6, 8]);
    assert.ok((await peek(whole)) instanceof Int32Array);
    assert.equal([...(await peek(tf.reshape(computed, [4])))], [2, 4, 6, 8]);
    tf.dispose([given, computed, whole]);
  });
}

if (native) {
  test('memory that was only peeked at is used again, memory that was handed out is not', async () => {
    await initBackend('native');
    const x = tf.zeros([4096]);
    const result = () => tf.add(x, 1);
    const first = result();
    const { buffer } = await peek(first);
    first.dispose();
    const second = result();
    assert.is((await peek(second)).buffer, buffer);
    const kept = second.dataSync();
    second.dispose();
    const third = result();
    assert.is.not((await peek(third)).buffer, buffer);
    assert.ok(kept.every((value) => value === 1));
    tf.dispose([x, third]);
  });
}

test.run();
