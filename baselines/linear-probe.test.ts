import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConceptExample, type ConceptSet, tf } from '../harness/contract.ts';
import { auroc, createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import diffmean from './diffmean.ts';
import linearProbe from './linear-probe.ts';

const test = suite('baselines/linear-probe');
test.before(async () => {
  await initBackend('wasm');
});

const OPTIONS = { level: 'best' as const, penalties: [1, 0.1, 0.01, 0.001], validation: 0.25 };
const concepts = [{ id: 'fever', label: 'fever' }];

/** Fits the probe at a level, or with 'diffmean' the difference of means. */
function fit(rows: number[][][], labels: number[], method: 'best' | 'token' | 'instance' | 'diffmean' = 'best') {
  const set: ConceptSet = {
    concepts,
    items: rows.map((_, i) => ({ id: `i${i}` })),
    examples: labels.map((label, item): ConceptExample => {
      return { concept: 0, item, split: 'train', role: label === 1 ? 'positive' : 'negative' };
    }),
  };
  const activations = memoryActivations(rows);
  const labelled = memoryLabelled(set, activations);
  const context = { rng: createRng(0), activations, labelled, site: 's', progress: () => {} };
  if (method === 'diffmean') return diffmean.fit({ ...context, options: {} });
  return linearProbe.fit({ ...context, options: { ...OPTIONS, level: method } });
}

/**
 * Items of 8 tokens; in a positive item one token carries the concept along axis 0. Axes 1 to 5 are noise that all
 * tokens share alike, with a strong correlation between axes 0 and 1 that misleads a difference of means.
 */
function items(count: number, seed: number): { rows: number[][][]; labels: number[] } {
  const rng = createRng(seed);
  const labels = Array.from({ length: count }, (_, i) => i % 2);
  const rows = labels.map((label) =>
    Array.from({ length: 8 }, (_, position) => {
      const shared = 3 * rng.normal();
      const concept = label === 1 && position === 3 ? 2 : 0;
      const noise = Array.from({ length: 4 }, () => rng.normal());
      return [shared + concept + 0.2 * rng.normal(), shared + 0.2 * rng.normal(), ...noise];
    }),
  );
  return { rows, labels };
}

function pooledAuroc(direction: Float32Array, { rows, labels }: ReturnType<typeof items>): number {
  const score = (row: number[]) => row.reduce((sum, value, i) => sum + value * direction[i]!, 0);
  return auroc(
    rows.map((tokens) => Math.max(...tokens.map(score))),
    labels,
  )!;
}

test('finds the direction that correlated noise hides from the difference of means', async () => {
  const training = items(80, 1);
  const heldOut = items(200, 2);
  const direction = (await fit(training.rows, training.labels)).tensors['directions']!.data;
  const mean = (await fit(training.rows, training.labels, 'diffmean')).tensors['directions']!.data;
  assert.ok(Math.abs(Math.hypot(...direction) - 1) < 1e-6);
  // The concept is the first axis less the second.
  assert.ok(direction[0]! > 0.6 && direction[1]! < -0.6, `${direction}`);
  const [byProbe, byMean] = [direction, mean].map((d) => pooledAuroc(d, heldOut));
  assert.ok(byProbe! > 0.97, `${byProbe}`);
  assert.ok(byProbe! > byMean! + 0.15, `${byProbe} against ${byMean}`);
});

test('a concept in one token of many: the multiple-instance fit finds it where item labels on tokens do not', async () => {
  // All tokens of positive items lie a little further along axis 1 (style); one of them lies far along axis 0.
  const make = (count: number, seed: number) => {
    const rng = createRng(seed);
    const labels = Array.from({ length: count }, (_, i) => i % 2);
    const rows = labels.map((label) =>
      Array.from({ length: 30 }, (_, position) => {
        const concept = label === 1 && position === 7 ? 5 : 0;
        const style = label === 1 ? 0.4 : 0;
        return [concept + rng.normal(), style + rng.normal(), ...Array.from({ length: 6 }, () => rng.normal())];
      }),
    );
    return { rows, labels };
  };
  const training = make(60, 11);
  const heldOut = make(200, 12);
  const reached: Record<string, number> = {};
  for (const level of ['token', 'instance', 'best'] as const) {
    const state = await fit(training.rows, training.labels, level);
    reached[level] = pooledAuroc(state.tensors['directions']!.data, heldOut);
  }
  assert.ok(reached['instance']! > 0.9, JSON.stringify(reached));
  assert.ok(reached['instance']! > reached['token']! + 0.05, JSON.stringify(reached));
  assert.is(reached['best'], reached['instance']);
});

test('the same seed gives the same weights; a shift or a scale of the activations changes no score order', async () => {
  const { rows, labels } = items(40, 5);
  const first = await fit(rows, labels);
  assert.equal((await fit(rows, labels)).tensors, first.tensors);
  const moved = rows.map((tokens) => tokens.map((row) => row.map((value, i) => 100 + value * (i === 0 ? 50 : 1))));
  const direction = (await fit(moved, labels)).tensors['directions']!.data;
  const heldOut = items(100, 6);
  const movedOut = heldOut.rows.map((tokens) => tokens.map((row) => row.map((value, i) => value * (i === 0 ? 50 : 1))));
  const before = pooledAuroc(first.tensors['directions']!.data, heldOut);
  const after = pooledAuroc(direction, { ...heldOut, rows: movedOut });
  assert.ok(Math.abs(before - after) < 0.005, `${before} against ${after}`);
});

test('labels without signal give chance', async () => {
  const rng = createRng(8);
  const noise = (count: number) => ({
    rows: Array.from({ length: count }, () => [Array.from({ length: 5 }, () => rng.normal())]),
    labels: Array.from({ length: count }, (_, i) => i % 2),
  });
  const training = noise(60);
  const direction = (await fit(training.rows, training.labels)).tensors['directions']!.data;
  assert.ok(Math.abs(pooledAuroc(direction, noise(400)) - 0.5) < 0.08);
});

test('one item a class: no validation is possible, the strongest penalty is taken', async () => {
  const state = await fit([[[1, 0]], [[0, 1]]], [1, 0]);
  assert.equal((state.json as { choices: object[] }).choices, [{ level: 'token', penalty: 1 }]);
  const method = linearProbe.restore(state, { d_in: 2, options: OPTIONS });
  const scores = tf.tidy(() =>
    method.detector!(concepts[0]!)!.score!(
      tf.tensor2d([
        [1, 0],
        [0, 1],
      ]),
    ),
  );
  const [positive, negative] = await scores.data();
  assert.ok(positive! > negative!);
  scores.dispose();
});

test('hostile: NaN activations, equal classes, an empty class', async () => {
  const hostile: [Promise<unknown>, RegExp][] = [
    [fit([[[Number.NaN]], [[1]]], [1, 0]), /concept 'fever': expected finite/],
    [fit([[[1]], [[1]]], [1, 0]), /concept 'fever'.*found length 0/],
    [fit([[[1]], [[2]]], [1, 1]), /concept 'fever'.*0 negatives/],
  ];
  for (const [attempt, message] of hostile) {
    assert.match(await refusal(attempt), message);
  }
});

test.run();
