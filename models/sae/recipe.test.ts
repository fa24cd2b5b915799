/** @file Recipes follow the length of the run and the width; thresholds start where the target asks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { learningRate } from './shared/learning-rate.ts';
import { startThreshold } from './shared/start-threshold.ts';

const test = suite('sae recipe');
test.before(async () => {
  await initBackend('wasm');
});

const shape = (d_sae: number) => ({ d_in: 4, d_sae, d_out: 4 });
const run = (steps: number) => ({ tokens: steps * 64, batchSize: 64, steps });

test('the learning rate falls with steps and width, within bounds', () => {
  assert.is(learningRate(6e-3, shape(512), run(1500)), 6e-3);
  assert.ok(Math.abs(learningRate(6e-3, shape(2048), run(1500)) - 3e-3) < 1e-12);
  assert.ok(Math.abs(learningRate(6e-3, shape(512), run(1500 * 32)) - 1.5e-3) < 1e-12, '32^0.4 = 4');
  assert.is(learningRate(6e-3, shape(512), run(5)), learningRate(6e-3, shape(512), run(150)));
  assert.is(learningRate(6e-3, shape(8), run(1500)), learningRate(6e-3, shape(256), run(1500)));
});

test('thresholds start where six times the target is active, above 0', () => {
  tf.tidy(() => {
    const [n, d_sae] = [4000, 64];
    const W_enc = tf.eye(d_sae) as Tensor2D;
    const sample = tf.tensor2d(createRng(1).fillNormal(new Float32Array(n * d_sae)), [n, d_sae]) as Tensor2D;
    const active = (threshold: number) => {
      const above = tf.sum(tf.cast(tf.greater(tf.matMul(sample, W_enc), threshold), 'float32')).dataSync()[0]!;
      return above / n;
    };
    assert.ok(Math.abs(active(startThreshold(sample, W_enc, 2)) - 12) < 0.2);
    assert.ok(Math.abs(active(startThreshold(sample, W_enc, 60)) - 32) < 0.3, 'at most half');
    assert.ok(Math.abs(active(startThreshold(sample, W_enc, null)) - 16) < 0.2, 'a quarter without a target');
    assert.ok(startThreshold(tf.zeros([5, d_sae]), W_enc, 2) > 0);
  });
});

test.run();
