/** @file The shorter ways through the engine end where tfjs's own do: values, gradients, scopes and counts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native short ways');
const SHORT = ['runKernel', 'clone', 'endScope'] as const;

/** Runs with tfjs's own methods in place of the short ones. */
function theLongWay<T>(run: () => T): T {
  const engine = tf.engine() as unknown as Record<string, unknown>;
  const short = SHORT.map((name) => engine[name]);
  assert.ok(SHORT.every((name) => Object.hasOwn(engine, name)));
  for (const name of SHORT) delete engine[name];
  try {
    return run();
  } finally {
    SHORT.forEach((name, i) => {
      engine[name] = short[i];
    });
  }
}

/** Σ tanh(a · b)² with a scope of its own and an unused branch, and what it is of. */
function loss(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  tf.relu(a);
  const product = tf.tidy(() => tf.tanh(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)));
  return tf.sum(tf.square(product));
}

const a = () => tf.tensor2d([0.3, -1.2, 0.7, 2, -0.4, 0.1], [2, 3]);
const b = () => tf.tensor2d([1, 0.5, -0.3, 0.8, 0.2, -1], [3, 2]);

const numbers = (tensors: tf.Tensor[]) => tensors.map((tensor) => Array.from(tensor.dataSync()));

test('gradients, and gradients of gradients, have the same bits', () => {
  if (!ready) return;
  const first = () => tf.tidy(() => numbers(tf.grads(loss)([a(), b()])));
  const second = () => {
    const slope = (x: tf.Tensor) => tf.sum(tf.square(tf.grad((y) => loss(y, b()))(x)));
    return tf.tidy(() => numbers([tf.grad(slope)(a())]));
  };
  for (const run of [first, second]) assert.equal(run(), theLongWay(run));
  assert.ok(second()[0]!.some((value) => value !== 0));
});

test('as many tensors and buffers are left, whatever a scope returns', () => {
  if (!ready) return;
  const counts = () => {
    const { numTensors, numDataBuffers } = tf.memory();
    return [numTensors, numDataBuffers];
  };
  const run = () => {
    const before = counts();
    const kept: tf.Tensor[] = [];
    const outer = tf.tidy(() => {
      const inner = tf.tidy(() => {
        kept.push(tf.keep(tf.add(a(), 1)));
        return tf.mul(a(), 2);
      });
      const both = tf.tidy(() => [tf.add(inner, 1), { more: tf.sub(inner, 1) }]);
      assert.is(both.length, 2);
      return tf.tidy(() => inner);
    });
    const after = counts().map((count, i) => count - before[i]!);
    tf.dispose([outer, ...kept]);
    return [after, counts().map((count, i) => count - before[i]!)];
  };
  assert.equal(run(), theLongWay(run));
  assert.equal(run()[1], [0, 0]);
});

test('an error in a kernel leaves the engine able to go on, with gradients', () => {
  if (!ready) return;
  const before = tf.memory().numTensors;
  tf.tidy(() => assert.throws(() => tf.engine().runKernel('SaxNothing', { x: a() }), /SaxNothing/));
  tf.tidy(() => assert.throws(() => tf.engine().runKernel('SaxEncodeTopK', { x: a() }, { k: 1 })));
  assert.equal(
    tf.tidy(() => numbers(tf.grads(loss)([a(), b()]))),
    theLongWay(() => tf.tidy(() => numbers(tf.grads(loss)([a(), b()])))),
  );
  assert.is(tf.memory().numTensors, before);
});

test('profiles are taken, and another backend computes by its own kernels', async () => {
  if (!ready) return;
  const { kernels } = await tf.profile(() => tf.tidy(() => tf.add(a(), 1)));
  assert.equal(
    kernels.map(({ name }) => name),
    ['Add'],
  );
  const made = tf.add(a(), 1);
  tf.setBackend('cpu');
  const run = () => tf.tidy(() => numbers(tf.grads(loss)([made, b()])));
  assert.equal(run(), theLongWay(run));
  tf.setBackend('native');
  made.dispose();
});

test.run();
