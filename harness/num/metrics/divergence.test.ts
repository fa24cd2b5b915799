/** @file Cross-entropy, KL and decoder geometry by hand and at the edges of float32. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { initBackend } from '../backend.ts';
import { createRng } from '../rng.ts';
import { tf } from '../tf.ts';
import { maxCosine, pairedCosine, rowNorms } from './decoder.ts';
import { crossEntropyPerToken, klPerToken } from './divergence.ts';

const test = suite('divergence');
const logs = (...p: number[]) => Float32Array.from(p, Math.log);

test('cross-entropy is -log of the target probability', () => {
  const losses = crossEntropyPerToken(logs(0.25, 0.75, 0.5, 0.5), [1, 0], 2);
  allclose(losses, [-Math.log(0.75), -Math.log(0.5)]);
  allclose(crossEntropyPerToken(Float32Array.of(1e30, 0, 0, -1e30), [0, 1], 2), [0, Math.fround(1e30)]);
  assert.ok(Number.isNaN(crossEntropyPerToken(logs(0.5, 0.5), [-1], 2)[0]));
  assert.throws(() => crossEntropyPerToken(logs(0.5, 0.5), [2], 2), /target 2 of row 0 is outside 2/);
  assert.throws(() => crossEntropyPerToken(logs(0.5, 0.5), [0, 1], 2), /2 targets for 1 rows/);
});

test('KL by hand, zero for equal, finite where softmax underflows, exact with masked words', () => {
  const kl = klPerToken(logs(0.5, 0.5), logs(0.25, 0.75), 2);
  allclose(kl, [0.5 * Math.log(2) + 0.5 * Math.log(2 / 3)]);
  const x = createRng('kl').fillNormal(new Float32Array(30));
  allclose(
    klPerToken(
      x,
      x.map((v) => v + 8),
      10,
    ),
    [0, 0, 0],
    { atol: 1e-5 },
  );
  allclose(klPerToken(Float32Array.of(0, 200), Float32Array.of(200, 0), 2), [200]);
  const masked = Float32Array.of(0, 0, -Infinity);
  allclose(klPerToken(masked, masked, 3), [0]);
  assert.throws(() => klPerToken(x, x.subarray(1), 10), /29 logits against 30/);
});

test('cosines between atoms', async () => {
  await initBackend('wasm');
  const before = tf.memory().numTensors;
  const W = Float32Array.of(1, 0, 0, 3, 2, 2, 0, 0);
  const h = Math.SQRT1_2;
  allclose(rowNorms(W, 4), [1, 3, Math.sqrt(8), 0]);
  allclose(maxCosine(W, 4), [h, h, h, 0]);
  allclose(maxCosine(W, 4, Float32Array.of(-1, 0, 5, 5), 2), [h, h, 1, 0]);
  allclose(maxCosine(Float32Array.of(1, 2), 1), [-1]);
  allclose(pairedCosine(W, Float32Array.of(2, 0, 1, 0, -1, -1, 1, 1), 4), [1, 0, -1, 0]);
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
      const pair = [W.slice(i * 3, i * 3 + 3), W.slice(j * 3, j * 3 + 3)] as const;
      expected = Math.max(expected, pairedCosine(...pair, 1)[0]!);
    }
    allclose([best[i]!], [expected], { rtol: 1e-5 });
  }
});

test.run();
