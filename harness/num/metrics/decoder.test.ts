/** @file Geometry of dictionaries by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { createRng } from '../rng.ts';
import { tf } from '../tf.ts';
import { maxCosine } from './decoder.ts';

const test = suite('decoder');

test('cosines between atoms', async () => {
  await initBackend('wasm');
  const before = tf.memory().numTensors;
  const W = Float32Array.of(1, 0, 0, 3, 2, 2, 0, 0);
  const h = Math.SQRT1_2;
  allclose(maxCosine(W, 4), [h, h, h, 0]);
  allclose(maxCosine(Float32Array.of(1, 2), 1), [-1]);
  assert.is(tf.memory().numTensors, before);
});

test('blocks of atoms agree with one product', async () => {
  await initBackend('wasm');
  const rows = 1100;
  const W = createRng('atoms').fillNormal(new Float32Array(rows * 3));
  const best = maxCosine(W, rows);
  for (const i of [0, 1023, 1024, 1099]) {
    let expected = -1;
    for (let j = 0; j < rows; j++) {
      if (j === i) continue;
      const [a, b] = [W.slice(i * 3, i * 3 + 3), W.slice(j * 3, j * 3 + 3)];
      const dot = a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
      expected = Math.max(expected, dot / (Math.hypot(...a) * Math.hypot(...b)));
    }
    allclose([best[i]!], [expected], { rtol: 1e-5 });
  }
});

test.run();
