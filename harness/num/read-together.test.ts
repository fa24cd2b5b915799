/** @file Several tensors read at once: their own numbers, on every backend. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../testing/test-backends.ts';
import { initBackend } from './backend.ts';
import { readTogether } from './read-together.ts';
import { tf } from './tf.ts';

const test = suite('read together');
for (const backend of await testBackends()) {
  test(`numbers of several shapes and types, and nothing stays behind: ${backend}`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    const tensors = [
      tf.tensor2d([1.5, -2, 3, 4], [2, 2]),
      tf.tensor1d([7, 2 ** 24 - 1], 'int32'),
      tf.scalar(0.25),
      tf.tensor1d([true, false, true], 'bool'),
      tf.zeros([0]),
    ];
    const read = () => readTogether(tensors).map((numbers) => Array.from(numbers));
    assert.equal(read(), [[1.5, -2, 3, 4], [7, 2 ** 24 - 1], [0.25], [1, 0, 1], []]);
    assert.equal(readTogether([]), []);
    tf.dispose(tensors);
    assert.is(tf.memory().numTensors, before);
  });
}

test.run();
