/** @file Backend choice, the reasons given for what is not available, and the kernels added to wasm. */
import type { Rank } from '@tensorflow/tfjs-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { testBackends } from '../testing/test-backends.ts';
import { type BackendChoice, initBackend, passedOver, probeBackends } from './backend.ts';
import { type Precision, precision } from './precision.ts';
import { tf } from './tf.ts';

const test = suite('backend');

test('auto picks a backend and gives a reason for every one before it', async () => {
  const info = await initBackend();
  assert.is(tf.getBackend(), info.name);
  const order = ['native', 'tensorflow', 'wasm', 'cpu'];
  // With a CUDA device tensorflow comes before all, and is named where it was tried there in vain.
  const before = info.device === 'GPU (CUDA)' ? [] : order.slice(0, order.indexOf(info.name));
  const named = info.rejected.map(({ name }): string => name);
  assert.equal(
    named.filter((name) => name !== 'tensorflow' || before.includes(name)),
    before,
  );
  for (const { reason } of info.rejected) assert.ok(reason.length > 0 && !reason.includes('\n'));
  assert.ok(info.device && info.version && info.detail);
});

test('an explicit choice is obeyed and can be changed within a process', async () => {
  for (const choice of ['cpu', 'wasm', 'cpu'] as const) {
    const info = await initBackend(choice);
    assert.is(info.name, choice);
    assert.is(tf.getBackend(), choice);
    assert.equal(info.rejected, []);
  }
});

test('an unknown or unavailable choice is a UserError that says why', async () => {
  await assertUserError(() => initBackend('webgl' as BackendChoice), /expected one of auto, native.*'webgl'/);
  const probes = await probeBackends();
  for (const probe of probes) {
    if (!probe.available) await assertUserError(() => initBackend(probe.name), /not available here.*To mend/);
  }
});

test('bf16 is arithmetic of its own where products in bfloat16 are there, and refused by name where they are not', async () => {
  const info = await initBackend('cpu');
  assert.is(info.precision, 'float32');
  await assertUserError(
    () => initBackend('cpu', 'bf16'),
    /precision: expected float32: backend cpu .* has no products/,
  );
  assert.is(precision(), 'float32');
  await assertUserError(() => initBackend('auto', 'fp8' as Precision), /expected one of float32, bf16; found 'fp8'/);
  const native = await initBackend('native').catch(() => undefined);
  if (!native?.detail.includes('bf16')) {
    await assertUserError(() => initBackend('auto', 'bf16'), /native/);
    return;
  }
  const mixed = await initBackend('auto', 'bf16');
  assert.is(mixed.name, 'native');
  assert.is(precision(), 'bf16');
  assert.match(mixed.detail, /, products in bf16$/);
  assert.match(mixed.arithmetic, /, bf16 by (amx|avx512)_bf16;/);
  assert.not(native.arithmetic.includes('bf16'), 'what screens decides no bit of float32');
  await initBackend('native');
  assert.is(precision(), 'float32');
});

test('a faster backend that should be there and is not: one line with reason and mend; none for TensorFlow', () => {
  const tensorflow = { name: 'tensorflow', reason: 'not installed', mend: 'npm install it' } as const;
  const native = { name: 'native', reason: 'saxbench.node is not built', mend: 'build it' } as const;
  assert.equal(passedOver({ name: 'wasm', rejected: [tensorflow, native] }), [
    'running on wasm, which is slower: backend native: saxbench.node is not built. To mend: build it.',
  ]);
  assert.equal(passedOver({ name: 'native', rejected: [tensorflow] }), []);
  assert.equal(passedOver({ name: 'cpu', rejected: [] }), []);
});

test('probing names all and keeps the backend in use', async () => {
  await initBackend('wasm');
  const probes = await probeBackends();
  assert.equal(
    probes.map(({ name }) => name),
    ['native', 'tensorflow', 'wasm', 'cpu', 'webgpu'],
  );
  assert.is(tf.getBackend(), 'wasm');
});

const available = await testBackends();

for (const backend of available) {
  test(`${backend}: unsorted segment sum adds rows, drops ids out of range and has a gradient`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
      const ids = tf.tensor1d([2, 0, 2, -1], 'int32');
      assert.equal(tf.unsortedSegmentSum(x, tf.tensor1d([3, 1, 9, -7], 'int32'), 3).arraySync(), [
        [0, 0],
        [3, 4],
        [0, 0],
      ]);
      const sum = tf.unsortedSegmentSum(x, ids, 3);
      assert.equal(sum.arraySync(), [
        [3, 4],
        [0, 0],
        [6, 8],
      ]);
      const grad = tf.grad((w) => tf.sum(tf.mul(tf.unsortedSegmentSum(w, ids, 3), [[1], [2], [3]])))(x);
      assert.equal(grad.arraySync(), [
        [3, 3],
        [1, 1],
        [3, 3],
        [0, 0],
      ]);
      const counts = tf.unsortedSegmentSum(tf.tensor1d([1, 1, 1], 'int32'), tf.tensor1d([1, 1, 0], 'int32'), 2);
      assert.equal([counts.dtype, counts.arraySync()], ['int32', [1, 2]]);
    });
    assert.is(tf.memory().numTensors, before);
  });

  test(`${backend}: the gradient of gather accumulates repeated rows`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const rows = tf.tensor1d([1, 1, 0], 'int32');
      const grad = tf.grad((table) => tf.sum(tf.mul(tf.gather(table, rows), [[1], [10], [100]])))(tf.zeros([3, 2]));
      assert.equal(grad.arraySync(), [
        [100, 100],
        [11, 11],
        [0, 0],
      ]);
    });
  });

  test(`${backend}: einsum and the filter gradient of conv2d compute`, async () => {
    await initBackend(backend);
    const before = tf.memory();
    tf.tidy(() => {
      const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      assert.equal(tf.einsum('ij,kj->ik', a, a).arraySync(), [
        [5, 11],
        [11, 25],
      ]);
      const image = tf.ones<Rank.R4>([1, 3, 3, 1]);
      const filter = tf.ones<Rank.R4>([2, 2, 1, 1]);
      const grad = tf.grad((w) => tf.sum(tf.conv2d(image, w as typeof filter, 1, 'valid')))(filter);
      assert.equal([...grad.dataSync()], [4, 4, 4, 4]);
    });
    assert.equal([tf.memory().numTensors, tf.memory().numBytes], [before.numTensors, before.numBytes]);
  });
}

async function assertUserError(run: () => Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.instance(error, UserError);
    assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable('expected a UserError');
}

test.run();
