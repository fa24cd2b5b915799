/** @file Every variant finds a known dictionary, keeps no tensors, and survives SAELens's file format. */
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
import { meanMaxCosine } from '../../harness/num/metrics/decoder.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { sparseData } from '../../harness/testing/sparse-data.ts';
import { restoreSae } from '../../harness/train/fitted-sae.ts';
import { trainSae } from '../../harness/train.ts';
import abstopk from './abstopk.ts';
import batchtopk from './batchtopk.ts';
import gated from './gated.ts';
import jumprelu from './jumprelu.ts';
import matryoshka from './matryoshka.ts';
import multiTopk from './multi-topk.ts';
import ortsae from './ortsae.ts';
import pAnneal from './p-anneal.ts';
import relu from './relu.ts';
import reluBricken from './relu-bricken.ts';
import { toDense } from './shared/threshold-codes.ts';
import topk from './topk.ts';

const test = suite('sae recovery');
test.before(async () => {
  await initBackend('wasm');
});

interface Case {
  definition: unknown;
  hp: Record<string, unknown>;
  /** Least explained variance and mean greatest cosine. */
  least?: { explained?: number; cosine?: number };
}
const VARIANTS: Case[] = [
  { definition: topk, hp: { k: 2 } },
  { definition: batchtopk, hp: { k: 2 } },
  // L1 pays for variance explained with sparsity: a looser target, as the literature finds too. What it shrinks is not explained.
  { definition: relu, hp: { targetL0: 3 }, least: { explained: 0.88 } },
  { definition: reluBricken, hp: { targetL0: 3 }, least: { explained: 0.88 } },
  { definition: pAnneal, hp: { targetL0: 2 } },
  { definition: jumprelu, hp: { targetL0: 2 } },
  { definition: gated, hp: { targetL0: 2 } },
  { definition: multiTopk, hp: { k: 2 } },
  { definition: ortsae, hp: { k: 2 } },
  // The first half of the latents has to do for more features than it has room for.
  { definition: matryoshka, hp: { k: 2, groups: [0.5, 0.5] }, least: { explained: 0.88, cosine: 0.9 } },
  { definition: abstopk, hp: { k: 2 } },
];

/** Reconstruction, L0 and variance explained of a method over rows. */
function apply(method: FittedMethod, x: Tensor2D) {
  return tf.tidy(() => {
    const codes = method.encode!(x) as Codes;
    const reconstruction = method.decode!(codes);
    const dense = toDense(codes);
    const residual = tf.sum(tf.squaredDifference(x, reconstruction)).dataSync()[0]!;
    const variance = tf.sum(tf.squaredDifference(x, tf.mean(x, 0, true))).dataSync()[0]!;
    const active = (dense.dataSync() as Float32Array).reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
    return {
      codes: dense.dataSync(),
      reconstruction: reconstruction.dataSync(),
      l0: active / x.shape[0],
      explained: 1 - residual / variance,
    };
  });
}

for (const { definition: given, hp, least = {} } of VARIANTS) {
  const definition = given as SaeDefinition;
  test(`${definition.id}: recovers the dictionary, in constant memory, and round-trips`, async () => {
    const { set, dictionary, d } = sparseData();
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    const trained = await trainSae(definition, {
      activations: set,
      d_sae: 32,
      hp,
      training: { tokens: 90_000, batchSize: 128, lr: 6e-3 },
      onProgress: () => counts.push(tf.memory().numTensors),
    });
    assert.is(new Set(counts).size, 1, 'tensors over the steps');
    assert.ok(trained.curve.length <= 200 && trained.curve.length > 100);
    const x = tf.tensor2d(await set.read(0, 1000), [1000, d]);
    const result = apply(trained.method, x);
    const rows = trained.method.directions!();
    // A latent of signed codes has two directions.
    const directions = definition.sparse === false ? Float32Array.of(...rows, ...rows.map((value) => -value)) : rows;
    const cosine = meanMaxCosine(dictionary, directions, d);
    const { explained, l0 } = result;
    assert.ok(cosine > (least.cosine ?? 0.95), `mean max cosine ${cosine}`);
    assert.ok(explained > (least.explained ?? 0.9), `explained variance ${explained} at l0 ${l0}`);
    const wanted = Number(hp['k'] ?? hp['targetL0']);
    assert.ok(Math.abs(result.l0 - wanted) < 0.25 * wanted, `l0 ${result.l0}, wanted ${wanted}`);

    const folder = await mkdtemp(join(tmpdir(), 'saxbench-sae-'));
    await trained.writeSaeLens(folder, { hook_name: 'blocks.0.hook_resid_post' });
    const copies = [checkpointMethod(await readSaeLens(folder)), restoreSae(definition, trained.state())];
    for (const copy of copies) {
      const again = apply(copy, x);
      allclose(again.codes, result.codes, { rtol: 1e-4, atol: 1e-4 }, 'codes');
      allclose(again.reconstruction, result.reconstruction, { rtol: 1e-4, atol: 1e-4 }, 'reconstruction');
      copy.dispose();
    }
    await rm(folder, { recursive: true });
    x.dispose();
    trained.dispose();
    assert.is(tf.memory().numTensors, before, 'tensors left');
  });
}

test.run();
