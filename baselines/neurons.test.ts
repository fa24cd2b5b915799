import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tf } from '../harness/contract.ts';
import { initBackend } from '../harness/num/backend.ts';
import neurons from './neurons.ts';
import unsteered from './unsteered.ts';

const test = suite('baselines/neurons');
test.before(async () => {
  await initBackend('wasm');
});

test('codes are the activation, decoding gives it back, directions are the axes', async () => {
  const method = neurons.restore({ tensors: {} }, { d_in: 3, options: {} });
  const before = tf.memory().numTensors;
  const x = tf.tensor2d([1, -2, 0, 0.5, 0, 7], [2, 3]);
  const codes = method.encode!(x);
  if (codes.kind !== 'dense') throw new Error('dense codes expected');
  const back = method.decode!(codes);
  assert.equal([...(await codes.values.data())], [1, -2, 0, 0.5, 0, 7]);
  assert.equal([...(await back.data())], [1, -2, 0, 0.5, 0, 7]);
  assert.equal([...method.directions!()], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  tf.dispose([x, codes.values, back]);
  assert.is(tf.memory().numTensors, before);
  assert.not(method.sparse);
});

test('unsteered steers along nothing and detects nothing', () => {
  const method = unsteered.restore({ tensors: {} }, { d_in: 2, options: {} });
  const detector = method.detector!({ id: 'any', label: 'any' })!;
  assert.equal([...detector.direction!], [0, 0]);
  assert.is(detector.score, undefined);
  assert.is(method.encode, undefined);
});

test.run();
