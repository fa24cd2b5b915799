/** @file The crosscoder: gradients, a joint site, and a latent that both sites share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import { siteOf } from '../../harness/activations/site-of.ts';
import { readSaeLens } from '../../harness/checkpoints/layouts/saelens.ts';
import { checkpointMethod } from '../../harness/checkpoints/method.ts';
import { reconstruct } from '../../harness/kit/reconstruct.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { checkLossGradients, randomValues } from '../../harness/testing/loss-gradients.ts';
import { trainSae } from '../../harness/train.ts';
import definition from './crosscoder.ts';

const test = suite('sae crosscoder');
test.before(async () => {
  await initBackend('wasm');
});

test('parameters and multiply-accumulates follow the formulas', () => {
  const [sites, d, d_sae, k] = [3, 4, 10, 2];
  const shape = { d_in: sites * d, d_sae, d_out: sites * d, input: [sites, d] };
  tf.tidy(() => {
    const sample = tf.tensor2d(createRng(3).fillNormal(new Float32Array(50 * sites * d)), [50, sites * d]) as Tensor2D;
    const { params } = definition.init(shape, { k }, { rng: createRng(0), sample, targetSample: sample });
    const found = Object.values(params).reduce((sum, param) => sum + param.size, 0);
    assert.is(found, 2 * sites * d * d_sae + d_sae + sites * d);
  });
  assert.equal(definition.macs!(shape, { k } as never), { encode: sites * d * d_sae, decode: k * sites * d });
});

test('gradients of the loss are those of finite differences', () => {
  const shapes = { W_enc: [6, 5], b_enc: [5], W_dec: [5, 6], b_dec: [6], x: [4, 6] };
  const { x, ...params } = randomValues(shapes, 'crosscoder');
  checkLossGradients(definition, { k: 2 }, params, { x: x! }, { variances: { shape: [2], values: [0.5, 3] } });
});

test('a joint site: the parts one after the other; unlike or repeated ones are refused', () => {
  const site = (name: string, d = 4, kind: 'tokens' | 'pooled' = 'tokens') => ({
    name,
    d,
    kind,
    modality: 'text' as const,
  });
  const subject = { id: 's', sites: [site('a'), site('b'), site('wide', 6), site('pooled', 4, 'pooled')] };
  assert.equal(siteOf(subject, 'b+a'), { ...site('b+a', 8), input: [2, 4], parts: ['b', 'a'] });
  assert.throws(() => siteOf(subject, 'a+c'), /unknown site of s 'c'/);
  assert.throws(() => siteOf(subject, 'a+a'), /^site a\+a of s: expected each site once; found a twice\.$/);
  for (const other of ['wide', 'pooled'])
    assert.throws(() => siteOf(subject, `a+${other}`), /expected sites of the same positions and width/);
});

test('trained: both sites are explained, the small one too; one site alone is refused', async () => {
  const [n, d, features] = [3000, 8, 12];
  const rng = createRng('two sites');
  const dictionary = rng.fillNormal(new Float32Array(features * 2 * d));
  const x = new Float32Array(n * 2 * d);
  for (let row = 0; row < n; row++) {
    for (const g of rng.sample(features, 2)) {
      // The second site is a tenth of the first in size.
      for (let j = 0; j < 2 * d; j++) x[row * 2 * d + j]! += dictionary[g * 2 * d + j]! * (j < d ? 1 : 0.1);
    }
  }
  const before = tf.memory().numTensors;
  const set = memorySet(x, 2 * d);
  const training = { tokens: 800 * 64, batchSize: 64 };
  const trained = await trainSae(definition, { activations: set, d_sae: 24, input: [2, d], hp: { k: 2 }, training });
  const { parts } = trained.curve.at(-1)!;
  for (const site of ['nmse.0', 'nmse.1']) assert.ok(parts[site]! < 0.15, `${site}: ${parts[site]}`);
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-crosscoder-'));
  await trained.writeSaeLens(folder, { hook_name: 'a+b' });
  const copy = checkpointMethod(await readSaeLens(folder));
  const rows = tf.tensor2d(x.slice(0, 50 * 2 * d), [50, 2 * d]) as Tensor2D;
  const [own, read] = [reconstruct(trained.method, rows), reconstruct(copy, rows)];
  allclose(read.dataSync(), own.dataSync(), { rtol: 1e-4, atol: 1e-4 });
  tf.dispose([rows, own, read]);
  copy.dispose();
  await rm(folder, { recursive: true });
  trained.dispose();
  assert.is(tf.memory().numTensors, before, 'tensors left');
  assert.throws(
    () => definition.validate!({ d_in: 8, d_sae: 8, d_out: 8 }, { k: 2 }),
    /^sae crosscoder: expected a joint site of two sites or more, as .*; found one site\.$/,
  );
  assert.throws(
    () => definition.validate!({ d_in: 8, d_sae: 8, d_out: 8, input: [2, 4] }, { k: 9 }),
    /^sae crosscoder: k: expected/,
  );
});

test.run();
