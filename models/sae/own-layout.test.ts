/** @file Variants that SAELens has no form for: gradients by finite differences, folding a scale, files, no tensor left. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import type { SaeDefinition, SaeShape, TrainState } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type NamedTensors, tf } from '../../harness/num/tf.ts';
import { assertComesBack, assertFolds } from '../../harness/testing/sae-inference.ts';
import { withDefaults } from '../../harness/train/options.ts';
import { trainSae } from '../../harness/train.ts';
import fno from './fno.ts';
import tensor from './tensor.ts';
import vaease from './vaease.ts';

interface Case {
  definition: SaeDefinition;
  shape: SaeShape;
  hp: Record<string, unknown>;
}

const flat = (d_in: number, d_sae: number): SaeShape => ({ d_in, d_sae, d_out: d_in });
const plain = (definition: unknown) => definition as SaeDefinition;
const image = (C: number, H: number, W: number, d_sae: number): SaeShape => ({
  ...flat(C * H * W, d_sae),
  input: [C, H, W],
});
const CASES: Case[] = [
  ...['linear', 'diagonal', 'mlp'].map((encoder) => ({
    definition: plain(vaease),
    shape: flat(5, 4),
    hp: { encoder, logGamma: -0.5, activeVariance: 1 },
  })),
  ...[3, null].map((k) => ({ definition: plain(tensor), shape: image(2, 3, 4, 6), hp: { k } })),
  { definition: plain(fno), shape: { ...flat(16, 24), input: [2, 8] }, hp: { k: 4, modes: 3 } },
  { definition: plain(fno), shape: { ...flat(8, 16), input: [1, 8] }, hp: { k: 16, modes: 4, lift: 3 } },
  { definition: plain(fno), shape: flat(5, 8), hp: { k: 3, modes: 1, lift: 6 } },
];

const ROWS = 6;
const test = suite('sae own layout');
test.before(async () => {
  await initBackend('wasm');
});

const complete = ({ definition, hp }: Case) =>
  withDefaults<Record<string, unknown>>(definition.hyperparameters, hp, '');
const numbers = (seed: string, size: number) => createRng(seed).fillNormal(new Float32Array(size));
const rowsOf = ({ d_in }: SaeShape, n = ROWS) => tf.tensor2d(numbers('rows', n * d_in), [n, d_in]);

/** Start values, each moved a little so that no bias is 0, and buffers. */
function start(given: Case): { params: NamedTensors; buffers: NamedTensors } {
  const sample = rowsOf(given.shape, 40);
  const env = { rng: createRng(1), sample, targetSample: sample };
  const { params, buffers = {} } = given.definition.init(given.shape, complete(given), env);
  const moved = Object.entries(params).map(([name, tensor]) => {
    const by = tf.tensor(numbers(name, tensor.size), tensor.shape);
    return [name, tf.add(tensor, tf.mul(by, 0.1))] as const;
  });
  return { params: Object.fromEntries(moved), buffers };
}

const stateOf = ({ shape }: Case, buffers: NamedTensors): TrainState => ({
  ...{ step: 5, steps: 10, tokens: 0, deadCount: 0, scalars: {}, rng: createRng(0) },
  dead: tf.zeros([shape.d_sae]),
  buffers,
});

for (const given of CASES) {
  const { definition, shape } = given;
  const hp = complete(given);
  const name = `${definition.id} ${JSON.stringify(given.hp)}`;

  test(`${name}: gradients are those of finite differences`, () => {
    tf.tidy(() => {
      const { params, buffers } = start(given);
      const x = rowsOf(shape);
      const lossOf = (named: NamedTensors) =>
        definition.loss(named, { x, target: x }, stateOf(given, buffers), hp).total;
      const step = 2e-3;
      for (const [key, param] of Object.entries(params)) {
        const gradient = tf
          .grad((value) => lossOf({ ...params, [key]: value }))(param)
          .dataSync();
        const values = Array.from(param.dataSync());
        const at = (changed: number[]) =>
          tf.tidy(() => lossOf({ ...params, [key]: tf.tensor(changed, param.shape) }).dataSync()[0]!);
        const slope = (i: number, by: number) =>
          (at(values.with(i, values[i]! + by)) - at(values.with(i, values[i]! - by))) / (2 * by);
        const difference = values.map((_, i) => slope(i, step));
        const scale = Math.max(1, ...difference.map(Math.abs));
        // Where another latent comes among the k largest in between, there is no derivative: two steps disagree.
        const smooth = values.flatMap((_, i) =>
          Math.abs(slope(i, step / 2) - difference[i]!) < 5e-3 * scale ? [i] : [],
        );
        assert.ok(smooth.length > 0.8 * values.length, `${key}: ${smooth.length} of ${values.length} are smooth`);
        const of = (all: ArrayLike<number>) => smooth.map((i) => all[i]!);
        allclose(of(gradient), of(difference), { rtol: 2e-2, atol: 8e-3 * scale }, key);
      }
    });
  });

  test(`${name}: an input scale is folded, the same reconstruction in the units of the input`, () => {
    tf.tidy(() => {
      const { params: trained, buffers } = start(given);
      const params = definition.toInference?.(trained, stateOf(given, buffers), hp) ?? trained;
      assertFolds(definition, params, hp, rowsOf(shape), { rtol: 1e-4, atol: 1e-5 });
    });
  });

  test(`${name}: training lowers the loss, keeps no tensors, and comes back from our own layout`, async () => {
    const { d_in, d_sae, input } = shape;
    const before = tf.memory().numTensors;
    const activations = memorySet(numbers('data', 256 * d_in), d_in);
    const training = { tokens: 64 * 64, batchSize: 64 };
    const trained = await trainSae(definition, { activations, d_sae, hp: given.hp, training, ...(input && { input }) });
    const [first, last] = [trained.curve[0]!.loss, trained.curve.at(-1)!.loss];
    assert.ok(last < first, `${first} to ${last}`);
    if (definition.sparse === false) assert.not(trained.marks.some(({ code }) => code === 'dead-latents'));
    const x = rowsOf(shape);
    await assertComesBack(definition, trained, x);
    x.dispose();
    trained.dispose();
    assert.is(tf.memory().numTensors, before);
  });
}

test.run();
