/** @file Default recipes reach the committed numbers of peers on the synthetic data, at a few batches. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import archetypal from '../../../models/sae/archetypal.ts';
import batchtopk from '../../../models/sae/batchtopk.ts';
import frozenDecoder from '../../../models/sae/frozen-decoder.ts';
import frozenEncoder from '../../../models/sae/frozen-encoder.ts';
import gated from '../../../models/sae/gated.ts';
import jumprelu from '../../../models/sae/jumprelu.ts';
import kron from '../../../models/sae/kron.ts';
import matchingPursuit from '../../../models/sae/matching-pursuit.ts';
import matryoshka from '../../../models/sae/matryoshka.ts';
import multiTopk from '../../../models/sae/multi-topk.ts';
import ortsae from '../../../models/sae/ortsae.ts';
import pAnneal from '../../../models/sae/p-anneal.ts';
import relu from '../../../models/sae/relu.ts';
import reluBricken from '../../../models/sae/relu-bricken.ts';
import skipTranscoder from '../../../models/sae/skip-transcoder.ts';
import softFrozenDecoder from '../../../models/sae/soft-frozen-decoder.ts';
import switchSae from '../../../models/sae/switch.ts';
import temporal from '../../../models/sae/temporal.ts';
import topk from '../../../models/sae/topk.ts';
import transcoder from '../../../models/sae/transcoder.ts';
import vaease from '../../../models/sae/vaease.ts';
import type { SaeDefinition } from '../../contract.ts';
import { initBackend } from '../../num/backend.ts';
import { SYNTHETIC, type SyntheticData, syntheticData, UNEVEN } from './data.ts';
import { type Recovery, recover, sparsityOf } from './recover.ts';
import { bestReference, parseRuns, referenceRuns, verdictOf } from './reference.ts';
import { jointData, type RelatedData, RUN, relatedData, relatedTo } from './related.ts';

const test = suite('synthetic recovery');
let data: SyntheticData;
let related: RelatedData;
test.before(async () => {
  await initBackend('auto');
  data = syntheticData(0);
  related = relatedData(0);
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

test('related rows: neighbours share the slow features, the second site has the same lengths in other directions', () => {
  const { features, d } = SYNTHETIC;
  const { rows, target } = related;
  const mean = (distance: number) => {
    let sum = 0;
    let pairs = 0;
    for (let row = 0; row + distance < 4000; row++) {
      // Within a run, or all the way into the next.
      if (distance < RUN && (row % RUN) + distance >= RUN) continue;
      for (let j = 0; j < d; j++) sum += rows.train[row * d + j]! * rows.train[(row + distance) * d + j]!;
      pairs++;
    }
    return sum / pairs;
  };
  // A fifth of six active features, each of length near 1, beside what all rows share.
  assert.ok(Math.abs(mean(1) - mean(RUN) - (51 / features) * 6) < 0.2, `${mean(1)} ${mean(RUN)}`);
  assert.is(target.train.length, rows.train.length);
  const joint = jointData(related);
  for (const g of [0, 100, 255]) {
    const own = joint.dictionary.subarray(g * 2 * d, (g + 1) * 2 * d);
    assert.ok(Math.abs(Math.hypot(...own) - 1) < 1e-5);
    assert.ok(Math.abs(own[0]! / rows.dictionary[g * d]! - Math.SQRT1_2) < 1e-4);
    assert.ok(Math.abs(own[d]! / target.dictionary[g * d]! - Math.SQRT1_2) < 1e-4);
  }
  assert.equal([...joint.test.subarray(d, 2 * d)], [...target.test.subarray(0, d)]);
  assert.is(
    relatedTo('topk', () => related),
    undefined,
  );
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

test('a table of runs that is cut, without a number or of other columns is an error, no smaller table', () => {
  const head = 'variant,batch,lr,coefficient,deadWindow,ev,mmcs,l0,dead';
  const line = 'relu,64,0.003,1,1,0.5,0.9,6,0';
  assert.is(parseRuns('X', `${head}\n${line}\n`)[0]!.l0, 6);
  for (const bad of [line.slice(0, -4), line.replace('0.9', 'nan'), line.replace('0.9', '')]) {
    assert.throws(
      () => parseRuns('X', `${head}\n${line}\n${bad}\n`),
      /^runs of X: line 3: expected 8 numbers after the /,
    );
  }
  assert.throws(() => parseRuns('X', `${head.replace('ev,mmcs', 'mmcs,ev')}\n${line}\n`), /expected the columns/);
});

test('two runs at one rate are compared at the L0 between them, a run alone as it is', () => {
  const run = {
    peer: 'SAELens',
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

test('an option of a variant without a penalty is a setting of its own, of which the best counts', () => {
  const run = { peer: 'PyTorch', batch: 256, lr: 1, deadWindow: 1, mmcs: 0.5, l0: 6, dead: 0 };
  const runs = [0.3, 0.5].map((ev) => ({ ...run, variant: 'switch', coefficient: ev, ev }));
  assert.is(bestReference(runs, 'switch', 256, 6)!.ev, 0.5);
});

test('a verdict is given at equal L0 alone: of a variant that cannot be told one, none', () => {
  const best = { ev: 0.7, mmcs: 0.9 };
  assert.is(verdictOf({ ev: 0.691, mmcs: 0.881 }, best, true), 'reached');
  assert.is(verdictOf({ ev: 0.689, mmcs: 0.9 }, best, true), 'behind');
  assert.is(verdictOf({ ev: 0.7, mmcs: 0.879 }, best, true), 'behind');
  assert.is(verdictOf({ ev: 0.9, mmcs: 1 }, best, false), 'not comparable: no L0 to match');
  assert.equal(sparsityOf(topk, 6), { k: 6 });
  assert.equal(sparsityOf(relu, 6), { targetL0: 6 });
  assert.equal(sparsityOf(vaease, 6), {});
});

const trained = new Map<string, Recovery>();

/** Of the rows and settings that the pairs below share with the tests behind them: each is trained once. */
async function recovered(definition: SaeDefinition<never>, batchSize: number, seed = 0): Promise<Recovery> {
  const key = `${definition.id} ${batchSize} ${seed}`;
  const [rows, relation] = relatedTo(definition.id, () => related) ?? [data, {}];
  const own = trained.get(key) ?? (await recover(definition, rows, { ...relation, training: { batchSize }, seed }));
  trained.set(key, own);
  return own;
}

/** Variant, batch, and how many seeds the mean is over: 1 where one is as good as another. */
const PAIRS: [unknown, number, number?][] = [
  [topk, 512],
  [batchtopk, 512],
  [topk, 256],
  [topk, 1024],
  [relu, 256],
  [jumprelu, 64],
  [matryoshka, 256],
  [gated, 256],
  [reluBricken, 256],
  [pAnneal, 256, 3],
  [multiTopk, 256],
  [ortsae, 256],
  [matchingPursuit, 256],
  [archetypal, 256],
  [switchSae, 256],
  [kron, 256],
  [frozenDecoder, 256],
  [softFrozenDecoder, 256],
  [frozenEncoder, 256],
  [temporal, 256],
  [skipTranscoder, 256],
  [transcoder, 256],
];
for (const [given, batch, seeds = 1] of PAIRS) {
  const definition = given as SaeDefinition<never>;
  test(`${definition.id} at batch ${batch}: within .01 and .02 of its peer at its best`, async () => {
    const runs: Recovery[] = [];
    for (let seed = 0; seed < seeds; seed++) runs.push(await recovered(definition, batch, seed));
    const mean = (name: keyof Recovery) => runs.reduce((sum, run) => sum + run[name], 0) / seeds;
    const ours = { ev: mean('ev'), mmcs: mean('mmcs'), l0: mean('l0') };
    const best = bestReference(referenceRuns(), definition.id, batch, ours.l0)!;
    assert.ok(best, `l0 ${ours.l0}`);
    assert.ok(ours.ev >= best.ev - 0.01, `explained variance ${ours.ev}, ${best.peer} ${best.ev}`);
    assert.ok(ours.mmcs >= best.mmcs - 0.02, `mean max cosine ${ours.mmcs}, ${best.peer} ${best.mmcs}`);
  });
}

test('relu-bricken at batch 256: λ does not swing while the learning rate falls', async () => {
  const ours = await recovered(reluBricken as SaeDefinition<never>, 256);
  assert.ok(Math.abs(ours.l0 / SYNTHETIC.l0 - 1) < 0.1, `l0 ${ours.l0}`);
});

test('batchtopk on rows of uneven norms explains as much as SAELens at its best', async () => {
  const uneven = syntheticData(0, UNEVEN);
  const settings = { hp: { norms: 'uneven' }, training: { batchSize: 512 }, seed: 0 };
  const ours = await recover(batchtopk as SaeDefinition<unknown>, uneven, settings);
  const best = bestReference(referenceRuns(true), 'batchtopk', 512, ours.l0)!;
  assert.ok(ours.ev >= best.ev - 0.01, `explained variance ${ours.ev}, SAELens ${best.ev}`);
});

test('relu at batch 512: L0 does not drift off while the learning rate falls', async () => {
  const ours = await recovered(relu as SaeDefinition<never>, 512);
  assert.ok(Math.abs(ours.l0 / SYNTHETIC.l0 - 1) < 0.1, `l0 ${ours.l0}`);
});

test('relu at batch 256: no latents die of a λ that overshoots', async () => {
  const ours = await recovered(relu as SaeDefinition<never>, 256);
  assert.ok(ours.dead < 0.06 && ours.mmcs > 0.93, `dead ${ours.dead}, mean max cosine ${ours.mmcs}`);
  assert.ok(Math.abs(ours.l0 / SYNTHETIC.l0 - 1) < 0.1, `l0 ${ours.l0}`);
});

test.run();
