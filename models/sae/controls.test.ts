/** @file The random controls stay random where they say so, train the rest, and survive SAELens's file format. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readSaeLens } from '../../harness/checkpoints/layouts/saelens.ts';
import { checkpointMethod } from '../../harness/checkpoints/method.ts';
import type { Codes, FittedMethod, SaeDefinition } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { type NamedTensors, type Tensor2D, tf } from '../../harness/num/tf.ts';
import { sparseData } from '../../harness/testing/sparse-data.ts';
import type { TrainedSae } from '../../harness/train/trained-sae.ts';
import { trainSae } from '../../harness/train.ts';
import frozenDecoder from './frozen-decoder.ts';
import frozenEncoder from './frozen-encoder.ts';
import { toDense } from './shared/threshold-codes.ts';
import softFrozenDecoder from './soft-frozen-decoder.ts';

const test = suite('sae controls');
test.before(async () => {
  await initBackend('wasm');
});

const { set, d } = sparseData();
const d_sae = 32;
const train = (given: unknown, hp: Record<string, unknown>, tokens: number) => {
  const training = { tokens, batchSize: 128, lr: 6e-3, normalise: 'none' as const };
  return trainSae(given as SaeDefinition, { activations: set, d_sae, hp, training });
};

/** A tensor of the state that a run keeps, after a run of one step of size 0 that changes nothing, and after training. */
async function startAndEnd(
  given: unknown,
  hp: Record<string, unknown>,
  name: string,
): Promise<[TrainedSae, TrainedSae, Float32Array, Float32Array]> {
  const training = { tokens: 128, batchSize: 128, lr: 0, normalise: 'none' as const };
  const start = await trainSae(given as SaeDefinition, { activations: set, d_sae, hp, training });
  const end = await train(given, hp, 40_000);
  const of = (trained: TrainedSae) => Float32Array.from(trained.state().tensors[name]!.data as Float32Array);
  return [start, end, of(start), of(end)];
}

/** Cosines of the rows [d_sae, d] of two matrices. */
function cosines(a: Float32Array, b: Float32Array): number[] {
  return Array.from({ length: d_sae }, (_, row) => {
    let [dot, aa, bb] = [0, 0, 0];
    for (let j = row * d; j < (row + 1) * d; j++) {
      dot += a[j]! * b[j]!;
      aa += a[j]! ** 2;
      bb += b[j]! ** 2;
    }
    return dot / Math.sqrt(aa * bb);
  });
}

async function explained(method: FittedMethod): Promise<number> {
  const x = tf.tensor2d(await set.read(0, 1000), [1000, d]) as Tensor2D;
  const value = tf.tidy(() => {
    const residual = tf.sum(tf.squaredDifference(x, method.decode!(method.encode!(x) as Codes)));
    return 1 - residual.dataSync()[0]! / tf.sum(tf.squaredDifference(x, tf.mean(x, 0, true))).dataSync()[0]!;
  });
  x.dispose();
  return value;
}

/** The method that SAELens's files give has the same codes. */
async function roundTrip(trained: TrainedSae): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-control-'));
  await trained.writeSaeLens(folder, { hook_name: 'blocks.0.hook_resid_post' });
  const copy = checkpointMethod(await readSaeLens(folder));
  const x = tf.tensor2d(await set.read(0, 500), [500, d]) as Tensor2D;
  const codes = (method: FittedMethod) => tf.tidy(() => toDense(method.encode!(x) as Codes).dataSync());
  allclose(codes(copy), codes(trained.method), { rtol: 1e-4, atol: 1e-4 }, 'codes');
  x.dispose();
  copy.dispose();
  await rm(folder, { recursive: true });
}

test('frozen-decoder: the decoder keeps its start to the bit, the encoder learns', async () => {
  const [start, end, before, after] = await startAndEnd(frozenDecoder, { k: 2 }, 'W_dec');
  assert.equal(after, before);
  assert.ok((await explained(end.method)) > (await explained(start.method)) + 0.1);
  await roundTrip(end);
  start.dispose();
  end.dispose();
});

test('soft-frozen-decoder: no row goes further than the least cosine, some go there, none without a bound', async () => {
  const [start, end, before, after] = await startAndEnd(softFrozenDecoder, { k: 2 }, 'W_dec');
  const near = cosines(before, after);
  assert.ok(Math.min(...near) > 0.8 - 1e-4, String(Math.min(...near)));
  assert.ok(near.filter((cosine) => cosine < 0.81).length > 2, 'rows at the bound');
  const free = await train(softFrozenDecoder, { k: 2, minCosine: 0 }, 40_000);
  const far = cosines(before, free.state().tensors['W_dec']!.data as Float32Array);
  assert.ok(Math.min(...far) < 0.6);
  assert.ok((await explained(free.method)) > (await explained(end.method)));
  await roundTrip(end);
  for (const trained of [start, end, free]) trained.dispose();
});

test('soft-frozen-decoder: a row that passes the bound comes back to it, in the plane of its start and itself', () => {
  tf.tidy(() => {
    const start = tf.tensor2d([1, 0, 0, 1, 0, 0, 1, 0, 0], [3, 3]);
    const rows = tf.tensor2d([0.6, 0.8, 0, 0.96, 0, 0.28, -1, 0, 0], [3, 3]);
    const state = { scalars: {}, buffers: { start }, step: 0, steps: 10 } as never;
    const hp = { k: 1, minCosine: 0.8 } as never;
    const { W_dec } = softFrozenDecoder.afterStep!({ W_dec: rows } as NamedTensors, state, hp);
    const [first, second, third] = (W_dec as Tensor2D).arraySync() as number[][];
    allclose(first!, [0.8, 0.6, 0], { rtol: 1e-6 });
    allclose(second!, [0.96, 0, 0.28], { rtol: 1e-6 }, 'untouched');
    // Opposite its start a row has no plane.
    assert.ok(third!.every(Number.isFinite));
  });
});

test('frozen-encoder: which latents fire stays random, the decoder learns and gets its length', async () => {
  const [start, end, before, after] = await startAndEnd(frozenEncoder, { k: 2 }, 'W_enc');
  const columns = (W: Float32Array) =>
    Float32Array.from({ length: W.length }, (_, i) => W[(i % d) * d_sae + Math.floor(i / d)]!);
  assert.ok(Math.min(...cosines(columns(before), columns(after))) > 1 - 1e-5, 'encoder columns but for their length');
  assert.ok((await explained(end.method)) > (await explained(start.method)) + 0.1);
  await roundTrip(end);
  start.dispose();
  end.dispose();
});

test('what is frozen withstands weight decay too', async () => {
  const training = { tokens: 2560, batchSize: 128, lr: 0.01, normalise: 'none' as const };
  const W_dec = async (weightDecay: number) => {
    const trained = await trainSae(frozenDecoder as unknown as SaeDefinition, {
      activations: set,
      d_sae,
      hp: { k: 2 },
      training: { ...training, weightDecay },
    });
    const data = Float32Array.from(trained.state().tensors['W_dec']!.data as Float32Array);
    trained.dispose();
    return data;
  };
  assert.equal(await W_dec(0.5), await W_dec(0));
});

test.run();
