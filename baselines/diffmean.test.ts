import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConceptSet, tf } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import diffmean from './diffmean.ts';
import lastToken from './last-token-diffmean.ts';
import meanToken from './mean-token-diffmean.ts';

const test = suite('baselines/diffmean');
test.before(async () => {
  await initBackend('wasm');
});

const set = (roles: ('positive' | 'negative')[]): ConceptSet => ({
  concepts: [{ id: 'fever', label: 'fever' }],
  items: roles.map((_, i) => ({ id: `i${i}` })),
  examples: roles.map((role, item) => ({ concept: 0, item, split: 'train' as const, role })),
});

async function fit(concepts: ConceptSet, rows: number[][][], special?: number[], method = diffmean) {
  const activations = memoryActivations(rows, { special: special ?? [] });
  const labelled = memoryLabelled(concepts, activations);
  return await method.fit({ options: {}, rng: createRng(0), activations, labelled, site: 's', progress: () => {} });
}

test('weights tokens, not items, and leaves special positions out', async () => {
  // Kept positive rows: (6,0), (0,8), (0,8): mean (2, 16/3). Kept negative row: (2, 4/3). Difference (0, 4).
  const state = await fit(
    set(['positive', 'positive', 'negative']),
    [
      [
        [99, 99],
        [6, 0],
      ],
      [
        [99, 99],
        [0, 8],
        [0, 8],
      ],
      [
        [-99, 50],
        [2, 4 / 3],
      ],
    ],
    [0],
  );
  assert.ok(Math.abs(state.tensors['directions']!.data[0]!) < 1e-6);
  assert.ok(Math.abs(state.tensors['directions']!.data[1]! - 1) < 1e-6);

  const method = diffmean.restore(state, { d_in: 2, options: {} });
  const before = tf.memory().numTensors;
  const x = tf.tensor2d([3, 5, 1, -2], [2, 2]);
  const scores = method.detector!({ id: 'fever', label: '' })!.score!(x);
  assert.equal(
    [...(await scores.data())].map((v) => Math.round(v * 1e4) / 1e4),
    [5, -2],
  );
  tf.dispose([x, scores]);
  assert.is(tf.memory().numTensors, before);
  assert.is(method.detector!({ id: 'unknown', label: '' }), undefined);
});

test('its variants count every text once, by its mean token or by its last kept one', async () => {
  const rows = [
    [
      [6, 0],
      [99, 99],
    ],
    [
      [0, 8],
      [0, 8],
      [0, 5],
    ],
    [[1, 1]],
  ];
  const items = set(['positive', 'positive', 'negative']);
  // Texts' means: (6, 0) and (0, 8 + 5)/2; last kept rows: (6, 0) and (0, 5), where position 1 does not count.
  for (const [method, x, y] of [
    [meanToken, 3 - 1, 6.5 / 2 - 1],
    [lastToken, 3 - 1, 5 / 2 - 1],
  ] as const) {
    const { data } = (await fit(items, rows, [1], method)).tensors['directions']!;
    const length = Math.hypot(x, y);
    assert.ok(
      Math.abs(data[0]! - x / length) < 1e-6 && Math.abs(data[1]! - y / length) < 1e-6,
      `${method.id}: ${data}`,
    );
    assert.match(await refusal(fit(set(['positive', 'positive']), [[[1, 0]], [[2, 0]]], [], method)), /0 negatives/);
  }
});

test('an empty class and equal means are errors that name the concept', async () => {
  const hostile: [Promise<unknown>, RegExp][] = [
    [fit(set(['positive', 'positive']), [[[1, 0]], [[2, 0]]]), /concept 'fever'.*2 positives and 0 negatives/],
    [fit(set(['positive', 'negative']), [[[1, 0]], [[1, 0]]]), /concept 'fever'.*found length 0/],
    [fit(set(['positive', 'negative']), [[[Number.NaN, 0]], [[1, 0]]]), /concept 'fever'.*found length NaN/],
  ];
  for (const [attempt, message] of hostile) {
    assert.match(await refusal(attempt), message);
  }
});

test.run();
