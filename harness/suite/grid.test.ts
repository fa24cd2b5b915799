/** @file Grids of a suite: every combination once, named after it; what cannot be is refused in one line. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Suite, SuiteMethod } from '../schema/suite.generated.ts';
import { expandGrids } from './grid.ts';
import { checkNames } from './load.ts';
import { setOptions } from './set-options.ts';

const test = suite('suite/grid');

const suiteOf = (...methods: SuiteMethod[]): Suite => ({
  id: 'mine',
  title: 'Mine',
  subjects: [{ id: 'tiny-lm-planted', sites: ['blocks.0'], dataset: { id: 'text-world' } }],
  methods,
  tasks: [{ id: 'reconstruction' }],
});
const methodsOf = (...methods: SuiteMethod[]) => expandGrids(suiteOf(...methods), 'suite mine').methods;

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.is((error as Error).name, 'UserError');
    return (error as Error).message;
  }
  return '';
}

test('every combination, the last option fastest, beside what all have', () => {
  const methods = methodsOf(
    { id: 'pca' },
    { id: 'topk', options: { auxK: 8 }, sites: ['blocks.0'], grid: { d_sae: [256, 512], k: [8, 16, 32] } },
  );
  assert.equal(
    methods.map(({ name, options }) => [name, options?.['d_sae'], options?.['k']]),
    [
      [undefined, undefined, undefined],
      ...[256, 512].flatMap((d_sae) => [8, 16, 32].map((k) => [`topk-d_sae-${d_sae}-k-${k}`, d_sae, k])),
    ],
  );
  for (const { options, sites, ...rest } of methods.slice(1)) {
    assert.equal([options!['auxK'], sites], [8, ['blocks.0']]);
    assert.not.ok('grid' in rest);
  }
  checkNames(suiteOf(...methods), 'suite mine');
});

test('training options go to the training, and a name of its own leads', () => {
  assert.equal(methodsOf({ id: 'relu', name: 'r', training: { tokens: 100 }, grid: { lr: [0.001, 1e-7] } }), [
    { id: 'relu', name: 'r-lr-0.001', training: { tokens: 100, lr: 0.001 } },
    { id: 'relu', name: 'r-lr-1e-7', training: { tokens: 100, lr: 1e-7 } },
  ]);
});

test('what cannot be is refused in one line', () => {
  const refused = (method: Partial<SuiteMethod>) => messageOf(() => methodsOf({ id: 'topk', ...method }));
  assert.is(
    refused({ options: { k: 8 }, grid: { k: [8, 16] } }),
    "suite mine: method topk: grid: k: is also one of 'options'; keep one of them.",
  );
  assert.match(refused({ training: { lr: 1 }, grid: { lr: [1, 2] } }), /lr: is also one of 'training'/);
  assert.match(refused({ grid: { k: [-1] } }), /grid: k: expected numbers without sign, .* found -1\./);
  assert.match(refused({ grid: { name: ['a b'] } }), /which can be part of a name; found "a b"\./);
  const many = Array.from({ length: 32 }, (_, i) => i + 1);
  assert.match(refused({ grid: { k: many, d_sae: many } }), /expected at most 1000 combinations, found 1024/);
  assert.match(refused({ name: 'a'.repeat(75), grid: { k: [1000] } }), /at most 80 letters/);
});

test('neither --option nor limits give the points of a grid one value under all their names', () => {
  const grid = { id: 'topk', grid: { d_sae: [256], k: [8, 16] } };
  const set = (...given: string[]) => setOptions(expandGrids(suiteOf(grid), 'suite mine'), given).methods;
  assert.is(
    messageOf(() => set('topk.k=32')),
    "--option topk.k=32: 'topk-d_sae-256-k-8' is named after its k: choose among such methods with --only, or write a suite with other values.",
  );
  assert.match(
    messageOf(() => set('topk-d_sae-256-k-16.d_sae=512')),
    /'topk-d_sae-256-k-16' is named after its d_sae/,
  );
  assert.equal(
    set('topk.auxK=4').map(({ options }) => options),
    [8, 16].map((k) => ({ d_sae: 256, k, auxK: 4 })),
  );
  const limited = { ...suiteOf(grid), limits: { methods: { topk: { k: 4 } } } };
  assert.match(
    messageOf(() => expandGrids(limited, 'suite mine')),
    /^suite mine: method topk: grid: k: is also one of 'limits\.methods\.topk', /,
  );
});

test.run();
