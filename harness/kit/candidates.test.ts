/** @file The choice of a concept's latent: by hand, sparse and signed codes alike. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { csrFromDense } from '../num/csr.ts';
import { bestLatents, createCandidates } from './candidates.ts';

const test = suite('kit/candidates');

/** Four items, two latents: latent 1 is high on the last two items, latent 0 low on them. */
const MAX = Float32Array.of(3, 0, 2, 0, 1, 4, 0, 5);
const MIN = Float32Array.of(2, 0, 1, -1, -3, 4, -2, 2);
const sparse = createCandidates({ kind: 'sparse', items: 4, d_sae: 2, l0: 1, max: csrFromDense(MAX, 4, 2) });
const dense = createCandidates({ kind: 'dense', items: 4, d_sae: 2, l0: 2, max: MAX, min: MIN });
const items = Uint32Array.of(3, 0, 2, 1);
const late = { items, labels: Uint8Array.of(1, 0, 1, 0) };
const early = { items, labels: Uint8Array.of(0, 1, 0, 1) };

test('values of a candidate, of a negated one, and of all at an item', () => {
  assert.equal([...sparse.values(1, items)], [5, 0, 4, 0]);
  assert.equal([sparse.count, dense.count, dense.latentOf(3), dense.signOf(3)], [2, 4, 1, -1]);
  // Minus the minimum over the item's positions.
  assert.equal([...dense.values(2, items)], [2, -2, 3, -1]);
  const seen: number[][] = [];
  sparse.forEach(0, (...pair) => seen.push(pair));
  assert.equal(seen, [[0, 3]]);
  seen.length = 0;
  dense.forEach(2, (...pair) => seen.push(pair));
  assert.equal(seen, [
    [0, 1],
    [2, 3],
    [1, 4],
    [3, -4],
  ]);
});

test('the best of each set, the first among equals', () => {
  // Sparse: latent 0 has 0 of 4 pairs right on the late items, latent 1 all.
  assert.equal(bestLatents(sparse, [late, early]), [
    { candidate: 1, latent: 1, sign: 1, trainAuroc: 1 },
    { candidate: 0, latent: 0, sign: 1, trainAuroc: 1 },
  ]);
  // Signed: latent 1 as before, and the negated latent 0 tells them as well: the lower candidate wins.
  const [best] = bestLatents(dense, [late]);
  assert.equal(best, { candidate: 1, latent: 1, sign: 1, trainAuroc: 1 });
  const alone = createCandidates({
    ...{ kind: 'dense', items: 4, d_sae: 1, l0: 1 },
    max: Float32Array.of(3, 2, 1, 0),
    min: Float32Array.of(2, 1, -3, -2),
  });
  assert.equal(bestLatents(alone, [late]), [{ candidate: 1, latent: 0, sign: -1, trainAuroc: 1 }]);
});

test.run();
