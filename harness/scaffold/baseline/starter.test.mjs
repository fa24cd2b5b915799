/** Test of starter.ts: node --test starter.test.mjs */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tryBaseline } from 'saxbench/trial';

const file = new URL('./starter.ts', import.meta.url);

test('tells rows with a concept from rows without it', async () => {
  const { auroc, method } = await tryBaseline(file);
  assert.equal(auroc.length, 2);
  for (const area of auroc) assert.ok(area > 0.9, `AUROC ${area}`);
  const { direction } = method.detector({ id: 'feature-0', label: '' });
  assert.ok(Math.abs(Math.hypot(...direction) - 1) < 1e-6);
  assert.equal(method.detector({ id: 'of-another-dataset', label: '' }), undefined);
});
