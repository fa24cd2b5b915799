/** Test of starter.ts: node --test starter.test.mjs */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trySae } from 'saxbench/trial';

const file = new URL('./starter.ts', import.meta.url);

test('finds the features of sparse data, with no more than k latents an input', async () => {
  const { explainedVariance, l0, losses } = await trySae(file, { k: 2 });
  assert.ok(explainedVariance > 0.8, `explained variance ${explainedVariance}`);
  assert.ok(l0 > 1 && l0 <= 2, `L0 ${l0}`);
  assert.ok(losses.at(-1) < losses[0] / 2, `loss ${losses[0]} to ${losses.at(-1)}`);
});

test('refuses a k beyond its latents', async () => {
  await assert.rejects(trySae(file, { k: 49 }), /k: expected at most d_sae = 48; found 49/);
});
