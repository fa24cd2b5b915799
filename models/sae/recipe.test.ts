/** @file Recipes follow the length of the run and the width; thresholds start where the target asks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunLength } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { stepState } from '../../harness/testing/loss-gradients.ts';
import jumprelu from './jumprelu.ts';
import { learningRate } from './shared/learning-rate.ts';
import { startThreshold } from './shared/start-threshold.ts';

const test = suite('sae recipe');
test.before(async () => {
  await initBackend('wasm');
});

const shape = (d_sae: number) => ({ d_in: 4, d_sae, d_out: 4 });
/** A run of the batch that its tokens have by default, or of `scale` times it. */
const run = (usualSteps: number, scale = 1) => ({
  tokens: usualSteps * 64,
  batchSize: 64 * scale,
  steps: usualSteps / scale,
  usualSteps,
});
const rate = (d_sae: number, length: RunLength) => learningRate(6e-3, shape(d_sae), length, 0.75);

test('the learning rate falls with steps and width, within bounds', () => {
  assert.is(rate(512, run(1500)), 6e-3);
  assert.ok(Math.abs(rate(2048, run(1500)) - 3e-3) < 1e-12);
  assert.ok(Math.abs(rate(512, run(1500 * 32)) - 1.5e-3) < 1e-12, '32^0.4 = 4');
  assert.is(rate(512, run(5)), rate(512, run(100)));
  assert.is(rate(8, run(1500)), rate(256, run(1500)));
});

test('at the same tokens a larger batch has a larger rate, by the exponent of the variant', () => {
  assert.ok(Math.abs(rate(512, run(1600, 8)) / rate(512, run(1600)) - 8 ** 0.75) < 1e-9);
  assert.ok(Math.abs(rate(512, run(1600, 0.5)) / rate(512, run(1600)) - 0.5 ** 0.75) < 1e-9);
  assert.is(rate(512, run(1600, 64)), rate(512, run(1600, 16)), 'no further below 100 steps');
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

test('jumprelu: a step moves thresholds as far in a wide dictionary as in one of 512', () => {
  const thresholds = (d_sae: number) =>
    tf.tidy(() => {
      const rng = createRng(2);
      const sample = tf.tensor2d(rng.fillNormal(new Float32Array(80)), [20, 4]) as Tensor2D;
      const hp = { thresholdInit: 0.7 } as Parameters<typeof jumprelu.init>[1];
      const { params } = jumprelu.init(shape(d_sae), hp, { rng, sample, targetSample: sample });
      const unit = tf.norm(params['W_dec']!, 'euclidean', 1).dataSync()[0]!;
      const state = stepState(d_sae, {});
      const inference = jumprelu.toInference!(params, state, hp);
      return [params['threshold']!.dataSync()[0]!, inference['threshold']!.dataSync()[0]! / unit] as const;
    });
  const [narrow, wide] = [thresholds(512), thresholds(2048)];
  assert.ok(Math.abs(narrow[1] - 0.7) < 1e-5 && Math.abs(wide[1] - 0.7) < 1e-5, `${narrow}, ${wide}`);
  const rates = [512, 2048].map((d_sae) => jumprelu.training!(shape(d_sae), {} as never, run(1500)).lr!);
  const reach = [narrow, wide].map(([trained], i) => (rates[i]! * 0.7) / trained);
  assert.ok(Math.abs(reach[1]! / reach[0]! - 1) < 1e-5, `${reach}`);
});

test.run();
