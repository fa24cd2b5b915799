/** @file Calls over shapes, types and attributes that do not fit: an error or the CPU backend's numbers, never a crash. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeReady, tf } from '../testing/against-cpu.ts';
import { OWN_KERNELS } from '../testing/own-kernels.ts';

const ready = await nativeReady();
const test = suite('native hostile calls');
const CHILD = fileURLToPath(new URL('../testing/hostile-ops.ts', import.meta.url));

/** A process of its own, so that its crash is a failed test. */
function run(...args: string[]): string[] {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', CHILD, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const lines = stdout.trim().split('\n');
  assert.is(status, 0, `ended by ${signal ?? `code ${status}`} in: ${lines.at(-1)}\n${stderr.slice(-2000)}`);
  return lines;
}

test('softmax of a scalar is an error or a number', () => {
  tf.setBackend('native');
  for (const make of [
    () => tf.softmax(tf.scalar(1)),
    () => tf.softmax(tf.tensor([], [0])),
    () => tf.logSoftmax(tf.scalar(1)),
  ]) {
    try {
      make().dataSync();
    } catch (error) {
      assert.instance(error, Error);
    }
  }
});

test('the right calls of our kernels, from which the wrong ones are made, are served', () => {
  tf.setBackend('native');
  for (const [name, { inputs, attrs = {} }] of Object.entries(OWN_KERNELS)) {
    const made = Object.entries(inputs).map(([key, [shape, dtype]]) => [key, tf.ones([...shape], dtype)]);
    const result = tf.engine().runKernel(name, Object.fromEntries(made), attrs as tf.NamedAttrMap);
    assert.ok(
      [result].flat().every((tensor) => tensor instanceof tf.Tensor),
      name,
    );
  }
});

for (const seed of ['1', '2']) {
  test(`4,000 calls of seed ${seed}`, () => {
    const { compared, complaints, tensors } = JSON.parse(run(seed, '4000').at(-1)!) as {
      compared: number;
      complaints: string[];
      tensors: number;
    };
    assert.equal(complaints, []);
    assert.ok(compared > 1000, `only ${compared} calls were compared`);
    assert.is(tensors, 0, 'tensors left behind');
  });
}

if (ready) test.run();
