/** @file The shorter ways through the engine end where tfjs's own do: values, gradients, scopes and counts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, tf } from '../testing/against-cpu.ts';

const ready = await nativeReady();
const test = suite('native short ways');
const SHORT = ['runKernel', 'clone', 'endScope', 'startTape'] as const;

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

test('a gradient of a gradient through what was computed before the inner one began', () => {
  if (!ready) return;
  const x = () => tf.tensor1d([1, -2, 3]);
  /** Σ(∂Σx²/∂x)² + Σx: its gradient is 8x + 1. */
  const slopes = (at: tf.Tensor) => {
    const squares = tf.sum(tf.square(at));
    const slope = tf.grad(() => squares)(at);
    return tf.add(tf.sum(tf.square(slope)), tf.sum(at)) as tf.Scalar;
  };
  assert.equal(
    tf.tidy(() => numbers([tf.grad(slopes)(x())])),
    [[9, -15, 25]],
  );
  /** The same with operations before, between and after two inner gradients, and one of its own that saves. */
  const cube = tf.customGrad((at, save) => {
    (save as tf.GradSaveFunc)([at as tf.Tensor]);
    return {
      value: tf.pow(at as tf.Tensor, 3),
      gradFunc: (dy, [saved]) => tf.mul(dy, tf.mul(tf.square(saved!), 3)),
    };
  });
  const mixed = (at: tf.Tensor) => {
    const first = tf.sum(tf.mul(cube(at), tf.sigmoid(at)));
    const slope = tf.grad(() => first)(at);
    const second = tf.sum(tf.mul(slope, tf.tanh(at)));
    const [own, of] = tf.grads(() => tf.add(second, first))([at, slope]);
    return tf.sum(tf.mul(tf.add(own!, of!), tf.exp(at))) as tf.Scalar;
  };
  const run = () => tf.tidy(() => numbers([tf.grad(mixed)(x())]));
  assert.equal(run(), theLongWay(run));
});

test('what a gradient needs outlives its disposal by the function', () => {
  if (!ready) return;
  const disposing = (x: tf.Tensor) => {
    const square = tf.square(x);
    const result = tf.sum(tf.exp(square));
    square.dispose();
    return result;
  };
  const counted = () => {
    const before = tf.memory();
    const values = tf.tidy(() => numbers([tf.grad(disposing)(tf.tensor1d([0.5, -1]))]));
    const after = tf.memory();
    return [values, after.numTensors - before.numTensors, after.numBytes - before.numBytes];
  };
  assert.equal(counted(), theLongWay(counted));
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

test('after a reset of the engine', async () => {
  if (!ready) return;
  tf.engine().reset();
  await tf.setBackend('native');
  const run = () => tf.tidy(() => numbers(tf.grads(loss)([a(), b()])));
  assert.equal(run(), theLongWay(run));
});

test.run();
