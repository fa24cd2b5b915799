/**
 * @file One SAE training step of the trainer, with its hooks, optimiser and bookkeeping: tokens/s.
 * Usage: sae-train.ts VARIANT D F K BATCH STEPS [bf16] [encode] [profile] [webgpu]. VARIANT: topk, relu, jumprelu, gated, matryoshka,
 * switch-EXPERTS, kron-M-N. K: latents kept (topk, matryoshka, switch, kron), or how many are to be active on average, 0 for as many as a fresh SAE has. With `bf16` in that precision; with `encode` the rule of
 * inference is measured instead of training; with `profile` it prints the time of every kernel instead.
 */
import gated from '../../../models/sae/gated.ts';
import jumprelu from '../../../models/sae/jumprelu.ts';
import kron from '../../../models/sae/kron.ts';
import matryoshka from '../../../models/sae/matryoshka.ts';
import relu from '../../../models/sae/relu.ts';
import switchSae from '../../../models/sae/switch.ts';
import topk from '../../../models/sae/topk.ts';
import type { SaeDefinition, Tensor1D, TrainState } from '../../contract.ts';
import { createRng } from '../../num/rng.ts';
import { type Tensor2D, tf } from '../../num/tf.ts';
import { adamFor } from '../../train/adam.ts';
import { createDeadLatents } from '../../train/dead-latents.ts';
import { resolveTraining, withDefaults } from '../../train/options.ts';
import { trainStep } from '../../train/step.ts';
import { profileKernels } from './kernel-profile.ts';
import { numbers, report, seconds, startBackend } from './measure.ts';

const definitions: Record<string, SaeDefinition<unknown>> = {
  ...{ topk, relu, jumprelu, gated, matryoshka, kron },
  switch: switchSae,
};
const [variant, ...sizes] = process.argv[2]!.split('-') as [string, ...string[]];
const [d_in, d_sae, k, batchSize, steps] = numbers(1) as [number, number, number, number, number];
const definition = definitions[variant]!;
const backend = await startBackend(process.argv.includes('bf16') ? 'bf16' : 'float32');

const rng = createRng(0);
const shape = { d_in, d_sae, d_out: d_in };
const thresholded = variant === 'relu' || variant === 'jumprelu' || variant === 'gated';
const [first, second] = sizes.map(Number);
const options: Record<string, Record<string, number | undefined>> = {
  topk: { k },
  matryoshka: { k },
  switch: { k, experts: first },
  kron: { k, m: first, n: second },
};
const hp = withDefaults(definition.hyperparameters, options[variant] ?? {}, 'hyper-parameter');
const training = resolveTraining(definition, shape, hp, { batchSize });
const rows = (n: number) => tf.tensor2d(rng.fillNormal(new Float32Array(n * d_in)), [n, d_in]);
const sample = rows(64);
const { params: initial, buffers = {} } = tf.tidy(() =>
  definition.init(shape, hp, { rng, sample, targetSample: sample }),
);
// The start of a ReLU, JumpReLU or gated SAE is dense; its biases put it where training leads to.
if (thresholded && k > 0) {
  const pre = tf.tidy(() => tf.matMul(sample, initial['W_enc'] as Tensor2D).dataSync()).sort();
  const cut = pre[Math.floor(pre.length * (1 - k / d_sae))]!;
  const threshold = initial['threshold']?.dataSync()[0] ?? 0;
  for (const name of variant === 'gated' ? ['b_gate', 'b_mag'] : ['b_enc']) {
    initial[name]!.dispose();
    initial[name] = tf.fill([d_sae], threshold - cut);
  }
}
const params = Object.fromEntries(Object.entries(initial).map(([name, tensor]) => [name, tf.variable(tensor)]));
tf.dispose(initial);
// The peer's: without the warm-up of a run, a larger one would throw the sparsity about within a few steps.
const lr = 1e-4;
const adam = adamFor(definition, hp, training, params);
const dead = createDeadLatents(d_sae, training.deadAfterTokens);
const state: TrainState = {
  step: 0,
  steps: 10_000,
  tokens: 0,
  dead: tf.tensor1d(dead.dead) as Tensor1D,
  deadCount: 0,
  scalars: {},
  buffers,
  rng,
};
const data = Array.from({ length: 4 }, () => rows(batchSize));

function step(): void {
  const x = data[state.step % data.length] as Tensor2D;
  const { fired } = trainStep({ definition, hp, params, adam, batch: { x, target: x }, state, lr });
  state.step++;
  state.tokens += batchSize;
  dead.update(fired, batchSize);
}

function encode(): void {
  state.step++;
  tf.tidy(() => void definition.encode(params, data[state.step % data.length] as Tensor2D, hp).values.dataSync());
}

const measured = process.argv.includes('encode') ? encode : step;
if (process.argv.includes('profile')) await profileKernels(measured, steps);
else report(batchSize / (await seconds(measured, steps)), 'tokens/s', backend);
