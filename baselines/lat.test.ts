import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import lat from './lat.ts';

const test = suite('baselines/lat');
const golden = JSON.parse(readFileSync(new URL('testdata/components.json', import.meta.url), 'utf8')).lat as {
  tokens: number[][];
  direction: number[];
};

/** A stream that leaves every order as it is: pairs are token i and token n/2 + i, as in the golden values. */
const unshuffled = { ...createRng(0), fork: () => ({ ...createRng(0), shuffle: <T>(items: T) => items }) };

const set = (positives: number, negatives: number): ConceptSet => ({
  concepts: [{ id: 'fever', label: 'fever' }],
  items: Array.from({ length: positives + negatives }, (_, i) => ({ id: `i${i}` })),
  examples: Array.from({ length: positives + negatives }, (_, item) => ({
    ...{ concept: 0, item, split: 'train' as const },
    role: item < positives ? ('positive' as const) : ('negative' as const),
  })),
});

async function fit(
  positives: number[][][],
  negatives: number[][][],
  sign: 'training' | 'component',
  rng = createRng(0),
) {
  const activations = memoryActivations([...positives, ...negatives]);
  const labelled = memoryLabelled(set(positives.length, negatives.length), activations);
  const state = await lat.fit({ options: { sign }, rng, activations, labelled, site: 's', progress: () => {} });
  return [...state.tensors['directions']!.data];
}

test('is the first component of normed differences of pairs, as scikit-learn finds it', async () => {
  const items = [golden.tokens.slice(0, 15), golden.tokens.slice(15)];
  const found = await fit(items, [[golden.tokens[0]!]], 'component', unshuffled);
  const off = Math.max(...found.map((value, i) => Math.abs(value - golden.direction[i]!)));
  assert.ok(off < 1e-6, `${off}`);
});

test('its sign follows the training items, unless it is left as it comes', async () => {
  const spread = [-3, -1, 1, 4, -2, 6, 9, -7].map((value) => [value, 0.01 * value]);
  const [low, high] = [[[-50, 0]], [[50, 0]]];
  assert.ok((await fit([spread], [low], 'training'))[0]! > 0.99);
  assert.ok((await fit([spread], [high], 'training'))[0]! < -0.99);
  assert.ok((await fit([spread], [high], 'component'))[0]! > 0.99);
});

test('seeds pair tokens differently; the same seed gives the same', async () => {
  const items = [golden.tokens];
  const [first, again, other] = [
    await fit(items, [[[0, 0, 0, 0, 0, 0]]], 'training', createRng(1)),
    await fit(items, [[[0, 0, 0, 0, 0, 0]]], 'training', createRng(1)),
    await fit(items, [[[0, 0, 0, 0, 0, 0]]], 'training', createRng(2)),
  ];
  assert.equal(first, again);
  assert.not.equal(first, other);
});

test('too few tokens, equal tokens, no negatives and no numbers are refused, naming the concept', async () => {
  const one = [[0, 1]];
  const hostile: [Promise<unknown>, RegExp][] = [
    [fit([[...one, ...one, ...one]], [one], 'training'), /concept 'fever'.*at least 4 kept tokens.*found 3/],
    [
      fit([[...one, ...one, ...one, ...one]], [one], 'training'),
      /concept 'fever'.*4 kept tokens give pairs of one difference/,
    ],
    [fit([[...one, ...one, ...one, [Number.NaN, 1]]], [one], 'training'), /concept 'fever'.*NaN or Infinity/],
    [fit([[...one, ...one]], [], 'training'), /concept 'fever'.*1 positives and 0 negatives/],
  ];
  for (const [attempt, message] of hostile) assert.match(await refusal(attempt), message);
});

test.run();
