/** @file Batch and windows that follow from the number of tokens; recipes see them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunLength, SaeDefinition } from '../contract.ts';
import { resolveTraining } from './options.ts';
import { defaultBatch, defaultDeadAfter, silentAfter, stepsOf } from './run-length.ts';

const test = suite('run length');
const shape = { d_in: 4, d_sae: 8, d_out: 4 };

test('the batch grows with the root of the tokens, and so do the steps', () => {
  const cases = [
    [50_000, 64, 781],
    [100_000, 64, 1562],
    [200_000, 128, 1562],
    [1_000_000, 256, 3906],
    [1_000_000_000, 4096, 244_140],
    [1, 16, 1],
  ] as const;
  for (const [tokens, batch, steps] of cases) {
    assert.is(defaultBatch(tokens), batch, `${tokens}`);
    assert.is(stepsOf({ tokens, batchSize: batch }), steps);
  }
  assert.equal([defaultDeadAfter(100_000), defaultDeadAfter(1e10), defaultDeadAfter(1)], [5000, 1e7, 1]);
  assert.equal([silentAfter(100_000), silentAfter(1e10)], [25_000, 1e7]);
});

/** Resolved options of a variant whose recipe is `training`, and the run that it saw last. */
function resolved(training: SaeDefinition['training'], overrides: object) {
  let seen: RunLength | undefined;
  const definition = {
    id: 'toy',
    foldScale: (params: object) => params,
    training: (...given: Parameters<NonNullable<SaeDefinition['training']>>) => {
      seen = given[2];
      return training!(...given);
    },
  } as unknown as SaeDefinition;
  return { options: resolveTraining(definition, shape, {}, overrides), seen };
}

test('a recipe sees the run as it will be: given tokens, given batch, its own batch', () => {
  const plain = resolved(() => ({}), { tokens: 100_000 });
  assert.equal(plain.seen, { tokens: 100_000, batchSize: 64, steps: 1562, usualSteps: 1562 });
  assert.is(plain.options.batchSize, 64);
  assert.is(plain.options.deadAfterTokens, 5000);
  const small = resolved(() => ({}), { tokens: 1000, batchSize: 10 });
  assert.equal(small.seen, { tokens: 1000, batchSize: 10, steps: 100, usualSteps: 62 });
  const own = resolved(() => ({ batchSize: 1000 }), { tokens: 100_000 });
  assert.equal(own.seen, { tokens: 100_000, batchSize: 1000, steps: 100, usualSteps: 1562 });
  assert.is(own.options.batchSize, 1000);
  assert.is(resolved((_s, _h, run) => ({ lr: 1 / run.steps }), { tokens: 640, batchSize: 64 }).options.lr, 0.1);
});

test.run();
