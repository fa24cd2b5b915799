/** @file Matching pursuit: gradients, atoms chosen again, and the rules of SAELens's checkpoints to stop. */

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import { readSaeLens } from '../../harness/checkpoints/layouts/saelens.ts';
import { checkpointMethod } from '../../harness/checkpoints/method.ts';
import { codesCsr, disposeCodes } from '../../harness/kit/codes.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { matchingPursuit } from '../../harness/num/ops/matching-pursuit.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { unitNormRows } from '../../harness/num/unit-rows.ts';
import { checkLossGradients, randomValues } from '../../harness/testing/loss-gradients.ts';
import { trainSae } from '../../harness/train.ts';
import definition from './matching-pursuit.ts';
import { toDense } from './shared/threshold-codes.ts';

const test = suite('sae matching pursuit');
test.before(async () => {
  await initBackend('wasm');
});

test('gradients of the loss are those of finite differences', () => {
  const { x, ...params } = randomValues({ W_dec: [5, 3], b_dec: [3], x: [4, 3] }, 'pursuit');
  checkLossGradients(definition, { k: 3 }, params, { x: x! }, {});
});

test('an atom chosen again has one entry, the sum; the residual keeps getting shorter', () => {
  tf.tidy(() => {
    const rng = createRng('pursuit again');
    const random = (n: number, d: number) => tf.tensor2d(rng.fillNormal(new Float32Array(n * d)), [n, d]) as Tensor2D;
    const W_dec = unitNormRows(random(4, 3));
    const x = random(20, 3);
    let before = Infinity;
    for (const steps of [1, 2, 4, 12]) {
      const codes = { kind: 'topk' as const, ...matchingPursuit(x, W_dec, { steps }), d_sae: 4 };
      const indices = codes.indices.arraySync() as number[][];
      const values = codes.values.arraySync() as number[][];
      for (const [i, row] of indices.entries()) {
        const active = row.filter((_, t) => values[i]![t]! > 0);
        assert.is(new Set(active).size, active.length, 'an active atom stands once');
      }
      const left = tf.norm(tf.sub(x, tf.matMul(toDense(codes), W_dec))).dataSync()[0]!;
      assert.ok(left < before, `${left} < ${before}`);
      before = left;
    }
  });
});

interface Stopped {
  threshold: number;
  duplicate: boolean;
  codes: number[];
}
const golden = JSON.parse(readFileSync(new URL('./testdata/matching-pursuit.json', import.meta.url), 'utf8')) as {
  d_in: number;
  d_sae: number;
  n: number;
  cases: { params: Record<string, number[]>; x: number[]; inference: Stopped[] }[];
};

test('codes of inputs that stop are those of SAELens', () => {
  const { d_in, d_sae, n, cases } = golden;
  for (const { params, x, inference } of cases) {
    tf.tidy(() => {
      const W_dec = tf.tensor2d(params['W_dec']!, [d_sae, d_in]) as Tensor2D;
      const input = tf.sub(tf.tensor2d(x, [n, d_in]), tf.tensor1d(params['b_dec']!)) as Tensor2D;
      for (const { threshold: residualThreshold, duplicate: stopOnDuplicate, codes } of inference) {
        const found = matchingPursuit(input, W_dec, { steps: d_in, residualThreshold, stopOnDuplicate });
        const dense = toDense({ kind: 'topk', ...found, d_sae });
        allclose(dense.dataSync(), codes, { rtol: 2e-5, atol: 2e-5 }, `${residualThreshold} ${stopOnDuplicate}`);
      }
    });
  }
});

test('a trained one is written as SAELens writes it, and read back', async () => {
  const [n, d] = [600, 6];
  const x = createRng('pursuit data').fillNormal(new Float32Array(n * d), 0.3);
  const before = tf.memory().numTensors;
  const trained = await trainSae(definition, {
    activations: memorySet(x, d),
    d_sae: 12,
    hp: { k: 3 },
    training: { tokens: 6400, batchSize: 64 },
  });
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-pursuit-'));
  await trained.writeSaeLens(folder);
  const copy = checkpointMethod(await readSaeLens(folder));
  const rows = tf.tensor2d(x.slice(0, 50 * d), [50, d]) as Tensor2D;
  const own = trained.method.encode!(rows);
  assert.is((await codesCsr(own)).n, 50);
  tf.tidy(() => {
    const read = copy.encode!(rows);
    allclose(toDense(read).dataSync(), toDense(own).dataSync(), { rtol: 1e-4, atol: 1e-4 }, 'codes');
    const [a, b] = [trained.method.decode!(own), copy.decode!(read)];
    allclose(b.dataSync(), a.dataSync(), { rtol: 1e-4, atol: 1e-4 }, 'reconstructions');
  });
  disposeCodes(own);
  rows.dispose();
  trained.dispose();
  copy.dispose();
  await rm(folder, { recursive: true });
  assert.is(tf.memory().numTensors, before, 'tensors left');
});

test('k out of range is refused in one line', () => {
  const shape = { d_in: 4, d_sae: 8, d_out: 4 };
  assert.throws(
    () => definition.validate!(shape, { k: 9 }),
    /^sae matching-pursuit: k: expected a whole number from 1 to d_sae = 8, found 9; lower k or raise d_sae\.$/,
  );
});

test.run();
