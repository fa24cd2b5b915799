/** @file CSR codes: from dense and top-k, concatenation, slices, transposition, pooling. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Csr,
  csrConcat,
  csrFromDense,
  csrFromTopk,
  csrSlice,
  csrToCsc,
  csrToDense,
  unsortedFromTopk,
} from './csr.ts';
import { thresholdToRate } from './firing-rate.ts';
import { poolRows } from './pooling.ts';
import { createRng } from './rng.ts';

const test = suite('csr');
const rng = createRng('csr');
const plain = (csr: Csr) => ({
  ...csr,
  indptr: [...csr.indptr],
  indices: [...csr.indices],
  values: [...csr.values],
});

function randomDense(n: number, d: number): Float32Array {
  return Float32Array.from({ length: n * d }, () => (rng.uniform() < 0.7 ? 0 : rng.int(9) - 4));
}

test('from dense and back, with empty rows and no rows', () => {
  const dense = Float32Array.of(0, 2, 0, 0, 0, 0, -1, 0, 3);
  const csr = csrFromDense(dense, 3, 3);
  assert.equal(plain(csr), { n: 3, d_sae: 3, indptr: [0, 1, 1, 3], indices: [1, 0, 2], values: [2, -1, 3] });
  assert.equal(csrToDense(csr), dense);
  assert.equal([...csrFromDense(new Float32Array(0), 0, 3).indptr], [0]);
  assert.throws(() => csrFromDense(dense, 2, 3), /not \[2, 3\]/);
});

test('from top-k sorts rows, drops zeros and refuses bad indices', () => {
  const csr = csrFromTopk([4, 1, 2, 0, 3, 3], [1, 2, 3, 4, 0, 5], 2, 3, 5);
  assert.equal(plain(csr), { n: 2, d_sae: 5, indptr: [0, 3, 5], indices: [1, 2, 4, 0, 3], values: [2, 3, 1, 4, 5] });
  assert.throws(() => csrFromTopk([5], [1], 1, 1, 5), /row 0 has latent 5 of 5/);
  assert.throws(() => csrFromTopk([-1], [1], 1, 1, 5), /latent -1/);
  assert.throws(() => csrFromTopk([2, 2], [1, 1], 1, 2, 5), /latent 2 twice/);
  assert.throws(() => csrFromTopk([1], [1, 2], 1, 1, 5), /1 indices and 2 values/);
});

test('unsorted top-k rows keep their order, and a latent may come back in another row', () => {
  const csr = unsortedFromTopk([4, 1, 2, 3, 0, 4], [1, 2, 3, 4, 0, 5], 2, 3, 5);
  assert.equal(plain(csr), { n: 2, d_sae: 5, indptr: [0, 3, 5], indices: [4, 1, 2, 3, 4], values: [1, 2, 3, 4, 5] });
  assert.equal([...unsortedFromTopk([2, 2], [0, 1], 1, 2, 5).indices], [2]);
  assert.throws(() => unsortedFromTopk([2, 0, 2], [1, 1, 1], 1, 3, 5), /latent 2 twice/);
  assert.throws(() => unsortedFromTopk([Number.NaN], [1], 1, 1, 5), /latent NaN/);
});

test('concatenating slices gives the whole', () => {
  const whole = csrFromDense(randomDense(9, 6), 9, 6);
  const parts = [csrSlice(whole, 0, 4), csrSlice(whole, 4, 4), csrSlice(whole, 4, 9)];
  assert.equal(plain(csrConcat(parts)), plain(whole));
  assert.throws(() => csrSlice(whole, 5, 10), /rows \[5, 10\) of 9/);
  assert.throws(() => csrConcat([whole, csrFromDense(new Float32Array(2), 1, 2)]), /cannot join d_sae 2 to 6/);
});

test('transposition keeps every entry, items ascending', () => {
  const dense = randomDense(7, 5);
  const csc = csrToCsc(csrFromDense(dense, 7, 5));
  const back = new Float32Array(35);
  for (let f = 0; f < 5; f++) {
    const items = csc.indices.subarray(csc.indptr[f], csc.indptr[f + 1]);
    assert.equal(
      [...items],
      [...items].sort((a, b) => a - b),
    );
    for (let j = csc.indptr[f]!; j < csc.indptr[f + 1]!; j++) back[csc.indices[j]! * 5 + f] = csc.values[j]!;
  }
  assert.equal(back, dense);
});

test('pooling equals the dense maximum and mean, negatives and empty groups included', () => {
  const [n, d] = [10, 6];
  const dense = randomDense(n, d);
  const groups = [0, 0, 0, 2, 3, 3, 3, 3, 4, 4];
  for (const how of ['max', 'mean'] as const) {
    const pooled = csrToDense(poolRows(csrFromDense(dense, n, d), groups, 6, how));
    for (let g = 0; g < 6; g++) {
      const rows = groups.flatMap((group, i) => (group === g ? [i] : []));
      for (let f = 0; f < d; f++) {
        const column = rows.map((i) => dense[i * d + f]!);
        const mean = column.reduce((a, b) => a + b, 0) / column.length;
        const expected = rows.length === 0 ? 0 : how === 'max' ? Math.max(...column) : Math.fround(mean);
        assert.is(pooled[g * d + f]! + 0, expected + 0, `${how} of group ${g}, latent ${f}`);
      }
    }
  }
  assert.throws(() => poolRows(csrFromDense(dense, n, d), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 2, 'max'), /must ascend/);
});

test('thresholding reaches the firing rate and ignores offsets', () => {
  const [n, d] = [50, 3];
  const x = rng.fillNormal(new Float32Array(n * d));
  const csr = thresholdToRate(x, n, d, 0.1);
  assert.equal([...csrToCsc(csr).indptr], [0, 5, 10, 15]);
  assert.ok(csr.values.every((value) => value > 0));
  const shifted = thresholdToRate(
    x.map((value) => value - 64),
    n,
    d,
    0.1,
  );
  assert.equal([...shifted.indices], [...csr.indices]);
  assert.is(thresholdToRate(x, n, d, 0).indices.length, 0);
  assert.is(thresholdToRate(x, n, d, 1).indices.length, (n - 1) * d);
});

test.run();
