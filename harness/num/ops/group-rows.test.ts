/** @file Rows sorted by group: a stable permutation with its inverse, and TopK of grouped rows against a dense mask. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testBackends } from '../../testing/test-backends.ts';
import { initBackend } from '../backend.ts';
import { createRng } from '../rng.ts';
import { type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { groupRows } from './group-rows.ts';
import { topkEncodeGrouped } from './topk-encode.ts';

const test = suite('rows in groups');
const backends = await testBackends();

test('random groups: sorted, stable, and put back by the places', async () => {
  await initBackend('cpu');
  for (let seed = 0; seed < 20; seed++) {
    const rng = createRng(seed);
    const [n, count] = [Math.floor(40 * rng.uniform()), 1 + Math.floor(6 * rng.uniform())];
    const groups = Array.from({ length: n }, () => Math.floor(count * rng.uniform()));
    const { order, places, ends } = groupRows(tf.tensor1d(groups, 'int32') as Tensor1D, count);
    const [at, back, until] = [order, places, ends].map((tensor) => [...tensor.dataSync()]);
    const expected = groups.map((_, row) => row).sort((a, b) => groups[a]! - groups[b]! || a - b);
    assert.equal(at, expected);
    assert.equal(
      back!.map((place) => at![place]),
      groups.map((_, row) => row),
    );
    assert.equal(
      until,
      Array.from({ length: count }, (_, g) => groups.filter((group) => group <= g).length),
    );
  }
});

test('a group that is not there is refused', async () => {
  await initBackend('cpu');
  for (const wrong of [-1, 3]) {
    assert.throws(() => groupRows(tf.tensor1d([0, wrong], 'int32') as Tensor1D, 3), /expected 0 to 2, got/);
  }
  assert.throws(() => groupRows(tf.tensor1d([0, 1.5]) as Tensor1D, 3), /expected 0 to 2, got 1.5/);
});

for (const backend of backends) {
  test(`${backend}: codes of grouped rows are TopK of the pre-activations that the group's mask leaves`, async () => {
    await initBackend(backend);
    const before = tf.memory().numTensors;
    const [n, d, width, k] = [11, 6, 5, 3];
    const ends = [4, 4, 11];
    tf.tidy(() => {
      const rng = createRng('grouped');
      const normal = (...shape: number[]) =>
        tf.tensor(rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b))), shape);
      const [x, W_enc] = [normal(n, d) as Tensor2D, normal(d, 3 * width) as Tensor2D];
      const encoder = { W_enc, bias: normal(3 * width) as Tensor1D, centre: normal(d) as Tensor1D };
      const { values, indices } = topkEncodeGrouped(x, encoder, k, tf.tensor1d(ends, 'int32'));
      const pre = tf.add(tf.matMul(tf.sub(x, encoder.centre), W_enc), encoder.bias) as Tensor2D;
      const found = [values.arraySync(), indices.arraySync()] as const;
      pre.arraySync().forEach((row, i) => {
        const group = ends.findIndex((end) => i < end);
        const own = row.map((value, f) => [value, f] as const).slice(group * width, (group + 1) * width);
        const best = own.sort(([a], [b]) => b - a).slice(0, k);
        assert.equal(
          found[1][i],
          best.map(([, f]) => f),
        );
        best.forEach(([value], j) => {
          assert.ok(Math.abs(found[0][i]![j]! - Math.max(0, value)) < 1e-5);
        });
      });
      const twoParts = tf.tensor1d([5, 11], 'int32') as Tensor1D;
      assert.throws(() => topkEncodeGrouped(x, encoder, k, twoParts), /2 groups do not divide d_sae = 15/);
      for (const wrong of [
        [4, 4, 10],
        [4, 4, 12],
        [4, 3, 11],
        [-1, 4, 11],
      ]) {
        assert.throws(() => topkEncodeGrouped(x, encoder, k, tf.tensor1d(wrong, 'int32')), /ends do not ascend/);
      }
      assert.throws(() => topkEncodeGrouped(x, encoder, 6, tf.tensor1d(ends, 'int32')), /k must be 1 to d_sae = 5/);
    });
    assert.is(tf.memory().numTensors, before);
  });
}

test.run();
