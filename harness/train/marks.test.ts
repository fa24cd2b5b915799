/** @file The rules of marks at their borders; a trained SAE bears them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import relu from '../../models/sae/relu.ts';
import type { SaeDefinition } from '../contract.ts';
import { initBackend } from '../num/backend.ts';
import { sparseData } from '../testing/sparse-data.ts';
import { trainSae } from '../train.ts';
import { decayStart, lookSteps } from './held-out.ts';
import { type TrainingFacts, trainingMarks } from './marks.ts';
import { resolveTraining } from './options.ts';

const test = suite('marks of training');
test.before(async () => {
  await initBackend('wasm');
});

const good: TrainingFacts = {
  targetL0: 16,
  l0: 16,
  l0Of: 'held-out rows',
  silent: 0,
  silentTokens: 25_000,
  controllers: [{ name: 'λ', value: 0, low: -7, high: 9 }],
  heldOut: [
    { step: 400, explained_variance: 0.8, l0: 16 },
    { step: 800, explained_variance: 0.84, l0: 16 },
    { step: 1000, explained_variance: 0.95, l0: 16 },
  ],
  decayStart: 800,
};
const marksOf = (changes: Partial<TrainingFacts>) => trainingMarks({ ...good, ...changes });
const codes = (changes: Partial<TrainingFacts>) => marksOf(changes).map(({ code }) => code);

test('each rule at its border', () => {
  assert.equal(codes({}), []);
  assert.equal(codes({ l0: 17.59 }), [], '10 % is allowed');
  assert.equal(codes({ l0: 17.7 }), ['l0-off-target']);
  assert.equal(codes({ l0: 14.3 }), ['l0-off-target']);
  assert.equal(codes({ l0: 99, targetL0: null }), [], 'no target');
  assert.equal(codes({ silent: 0.2 }), []);
  assert.equal(codes({ silent: 0.21 }), ['dead-latents']);
  assert.equal(codes({ silentOnAll: 0.2, rows: 4000 }), []);
  assert.equal(codes({ silentOnAll: 0.21, rows: 4000 }), ['dead-latents']);
  for (const value of [-7, 9])
    assert.equal(codes({ controllers: [{ name: 'λ', value, low: -7, high: 9 }] }), ['controller-at-bound']);
  const [half, full] = [good.heldOut[0]!, good.heldOut[1]!];
  assert.equal(codes({ heldOut: [half, { ...full, explained_variance: 0.88 }] }), ['under-trained']);
  assert.equal(
    codes({ heldOut: [full, { ...full, step: 1000, explained_variance: 1 }] }),
    [],
    'what the decay brings is no rise',
  );
  assert.equal(codes({ heldOut: [] }), []);
});

test('messages carry the numbers', () => {
  assert.is(
    marksOf({ silentOnAll: 0.634, rows: 4000 })[0]!.message,
    '63 % of the latents fire on none of the 4,000 training rows.',
  );
  assert.is(marksOf({ l0: 20.04 })[0]!.message, 'L0 is 20 on held-out rows, 25 % above the target of 16.');
  assert.is(
    marksOf({ silent: 0.634 })[0]!.message,
    '63 % of the latents did not fire once in the last 25,000 tokens of training.',
  );
  assert.is(
    marksOf({ controllers: [{ name: 'λ', value: 9, low: -7, high: 9 }] })[0]!.message,
    'The controller of λ ended at its upper bound 9.',
  );
});

test('looks are taken half way to the decay and where it begins', () => {
  const shape = { d_in: 4, d_sae: 8, d_out: 4 };
  const training = resolveTraining(
    relu as unknown as SaeDefinition,
    shape,
    { targetL0: 2 },
    { tokens: 6400, batchSize: 64 },
  );
  assert.is(decayStart(training), 80);
  assert.equal([...lookSteps(training)], [10, 20, 30, 40, 50, 60, 70, 80]);
  assert.equal([...lookSteps({ ...training, tokens: 64 })], []);
  assert.is(decayStart({ ...training, lrDecay: 'none' }), 100);
});

test('a run far too short is marked, with and without held-out rows', async () => {
  const { set } = sparseData();
  const options = { activations: set, d_sae: 32, hp: { targetL0: 1 }, training: { tokens: 1280, batchSize: 128 } };
  const plain = await trainSae(relu as unknown as SaeDefinition, options);
  assert.ok(plain.marks.some(({ code, message }) => code === 'l0-off-target' && message.includes('last tenth')));
  assert.equal(plain.heldOut, []);
  const held = await trainSae(relu as unknown as SaeDefinition, { ...options, heldOut: set });
  assert.ok(held.marks.some(({ code, message }) => code === 'l0-off-target' && message.includes('held-out rows')));
  assert.is(held.heldOut.at(-1)!.step, 10);
  for (const name of ['W_enc', 'W_dec', 'b_enc', 'b_dec']) {
    assert.equal(
      held.state().tensors[name]!.data,
      plain.state().tensors[name]!.data,
      `looking changes no weight: ${name}`,
    );
  }
  plain.dispose();
  held.dispose();
});

test.run();
