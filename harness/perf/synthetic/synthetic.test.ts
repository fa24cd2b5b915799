/** @file Default recipes reach SAELens's committed numbers on the synthetic data, at a few batches. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import batchtopk from '../../../models/sae/batchtopk.ts';
import gated from '../../../models/sae/gated.ts';
import jumprelu from '../../../models/sae/jumprelu.ts';
import matryoshka from '../../../models/sae/matryoshka.ts';
import relu from '../../../models/sae/relu.ts';
import topk from '../../../models/sae/topk.ts';
import type { SaeDefinition } from '../../contract.ts';
import { initBackend } from '../../num/backend.ts';
import { SYNTHETIC, type SyntheticData, syntheticData } from './data.ts';
import { recover } from './recover.ts';
import { bestReference, referenceRuns } from './reference.ts';

const test = suite('synthetic recovery');
let data: SyntheticData;
test.before(async () => {
  await initBackend('auto');
  data = syntheticData(0);
});

test('rows have 6 active features of 256 on average, and unit directions', () => {
  const { features, d } = SYNTHETIC;
  for (let at = 0; at < features * d; at += d) {
    const length = Math.hypot(...data.dictionary.subarray(at, at + d));
    assert.ok(Math.abs(length - 1) < 1e-5);
  }
  // E‖x‖² = 6 · (1 + .2²) + ‖mean‖², where random directions add up like a walk: (6/256)² · 256 off the diagonal's share.
  const squares = data.test.reduce((sum, value) => sum + value * value, 0) / SYNTHETIC.test;
  assert.ok(Math.abs(squares - 6.24) < 0.5, `E‖x‖² ${squares}`);
});

test('every variant has committed runs of SAELens near L0 6 at every batch', () => {
  const runs = referenceRuns();
  for (const variant of ['relu', 'topk', 'batchtopk', 'jumprelu']) {
    for (const batch of [64, 128, 256, 512, 1024]) {
      assert.ok(bestReference(runs, variant, batch, SYNTHETIC.l0), `${variant} ${batch}`);
    }
  }
  assert.is(bestReference(runs, 'relu', 64, 100), undefined);
});

test('two runs at one rate are compared at the L0 between them, a run alone as it is', () => {
  const run = {
    variant: 'relu',
    batch: 64,
    lr: 1,
    coefficient: 1,
    deadWindow: 1,
    ev: 0.5,
    mmcs: 0.9,
    l0: 5.8,
    dead: 0,
  };
  const runs = [run, { ...run, ev: 0.7, mmcs: 0.8, l0: 6.2 }, { ...run, lr: 2, ev: 0.55, l0: 6.1 }];
  const best = bestReference(runs, 'relu', 64, 6)!;
  assert.ok(Math.abs(best.ev - 0.6) < 1e-12 && Math.abs(best.mmcs - 0.85) < 1e-12 && Math.abs(best.l0 - 6) < 1e-12);
  assert.is(bestReference(runs.slice(2), 'relu', 64, 6)!.ev, 0.55);
  assert.is(bestReference(runs, 'relu', 64, 7), undefined);
  // The nearest run alone would be compared at a higher L0 than ours.
  const wide = [
    { ...run, l0: 5, ev: 0.5 },
    { ...run, l0: 6.2, ev: 0.74 },
  ];
  assert.ok(Math.abs(bestReference(wide, 'relu', 64, 6)!.ev - 0.7) < 1e-12);
});

const PAIRS: [SaeDefinition<never>, number][] = [
  [topk as SaeDefinition<never>, 512],
  [batchtopk as SaeDefinition<never>, 512],
  [topk as SaeDefinition<never>, 256],
  [topk as SaeDefinition<never>, 1024],
  [relu as SaeDefinition<never>, 256],
  [jumprelu as SaeDefinition<never>, 64],
  [matryoshka as SaeDefinition<never>, 256],
  [gated as SaeDefinition<never>, 256],
];
for (const [definition, batch] of PAIRS) {
  test(`${definition.id} at batch ${batch}: within .01 and .02 of SAELens at its best`, async () => {
    const ours = await recover(definition, data, { training: { batchSize: batch }, seed: 0 });
    const best = bestReference(referenceRuns(), definition.id, batch, ours.l0)!;
    assert.ok(best, `l0 ${ours.l0}`);
    assert.ok(ours.ev >= best.ev - 0.01, `explained variance ${ours.ev}, SAELens ${best.ev}`);
    assert.ok(ours.mmcs >= best.mmcs - 0.02, `mean max cosine ${ours.mmcs}, SAELens ${best.mmcs}`);
  });
}

test('relu at batch 512: L0 does not drift off while the learning rate falls', async () => {
  const ours = await recover(relu, data, { training: { batchSize: 512 }, seed: 0 });
  assert.ok(Math.abs(ours.l0 / SYNTHETIC.l0 - 1) < 0.1, `l0 ${ours.l0}`);
});

test('relu at batch 256: no latents die of a λ that overshoots', async () => {
  const ours = await recover(relu, data, { training: { batchSize: 256 }, seed: 0 });
  assert.ok(ours.dead < 0.06 && ours.mmcs > 0.93, `dead ${ours.dead}, mean max cosine ${ours.mmcs}`);
  assert.ok(Math.abs(ours.l0 / SYNTHETIC.l0 - 1) < 0.1, `l0 ${ours.l0}`);
});

test.run();
