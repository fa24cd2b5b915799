/** @file The covariate-only probe: it tells what covariates tell, and nothing where there are none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet, Item } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import covariates from './covariates.ts';

const test = suite('baselines/covariates');

async function fitted(all: (Item['covariates'] | undefined)[]) {
  const set: ConceptSet = {
    concepts: [{ id: 'c', label: 'c' }],
    items: all.map((own, i) => ({ id: `i${i}`, ...(own ? { covariates: own } : {}) })),
    examples: all.map((_, item) => ({ concept: 0, item, split: 'train', role: item % 2 ? 'positive' : 'negative' })),
  };
  const activations = memoryActivations(all.map(() => [[0]]));
  const context = {
    options: {},
    rng: createRng(0),
    activations,
    labelled: memoryLabelled(set, activations),
    site: 's',
  };
  const state = await covariates.fit({ ...context, progress: () => {} });
  const detector = covariates.restore(state, { d_in: 1, options: {} }).detector!(set.concepts[0]!);
  return (own: Item['covariates']) => detector?.scoreItem?.({ id: 'x', ...(own ? { covariates: own } : {}) });
}

test('categories and numbers tell, what is absent or new says nothing', async () => {
  const score = await fitted([
    { site: 'A', age: 20 },
    { site: 'B', age: 60 },
    { site: 'A', age: 30 },
    { site: 'B', age: 70 },
  ]);
  assert.ok(score({ site: 'B', age: 65 })! > score({ site: 'A', age: 65 })!);
  assert.ok(score({ site: 'A', age: 65 })! > score({ site: 'A', age: 25 })!);
  assert.is(score({}), score({ site: 'C', age: 45, other: 3 }), 'the mean age and a site that nobody saw');
});

test('no covariates, or one value of each: no detector or none that tells', async () => {
  assert.is((await fitted([undefined, undefined]))({}), undefined);
  assert.is((await fitted([{ site: 'A' }, { site: 'A' }]))({ site: 'A' }), undefined);
});

test.run();
