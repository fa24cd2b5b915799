/** Test of starter.ts: node --test starter.test.mjs */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tryTask } from 'saxbench/trial';

const file = new URL('./starter.ts', import.meta.url);

test('all 32 latents of the trial fire in 200 rows, and none above what no row reaches', async () => {
  const [row] = await tryTask(file);
  assert.equal(row.metrics.alive.value, 1);
  assert.equal(row.metrics.alive.n, 32);
  const [none] = await tryTask(file, { above: 100 });
  assert.equal(none.metrics.alive.value, 0);
});

test('a method without latents has an empty cell', async () => {
  const [row] = await tryTask(file, {}, { d_in: 16, sparse: false, dispose() {} });
  assert.equal(row.metrics.alive.value, null);
  assert.equal(row.metrics.alive.reason, 'it has no latents');
});
