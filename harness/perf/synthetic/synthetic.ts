/**
 * @file Default recipes against peers at their best on the synthetic data:
 * `npm run perf:synthetic -- [--variant relu] [--batch 64] [--seeds 3]` prints a table, and
 * `npm run perf:synthetic -- --write DIR` the data, for `peers/*_synthetic.py` and `saxbench run --activations DIR`;
 * with `--uneven` of rows of very uneven norms; with `--write` and `--related` of rows that have neighbours and a second site,
 * which temporal, transcoder, skip-transcoder and crosscoder are always tried on; with `--wide` at 12,288 latents on rows of 768, once
 * (without peers, `--batch 512 --seeds 1`).
 */
import abstopk from '../../../models/sae/abstopk.ts';
import archetypal from '../../../models/sae/archetypal.ts';
import batchtopk from '../../../models/sae/batchtopk.ts';
import crosscoder from '../../../models/sae/crosscoder.ts';
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
import { refuse, scriptArguments, wholeNumber } from '../../testing/script-arguments.ts';
import { SYNTHETIC, type SyntheticData, syntheticData, UNEVEN, WIDE, WIDE_RUN, writeSynthetic } from './data.ts';
import { type Recovery, recover, sparsityOf } from './recover.ts';
import { bestReference, referenceRuns, verdictOf } from './reference.ts';
import { RELATED, type RelatedData, relatedData, relatedTo, writeRelated } from './related.ts';

const { values: options } = scriptArguments(
  'perf:synthetic',
  '[--variant relu …] [--batch 64 …] [--seeds 3] [--uneven | --wide] [--write DIR [--related]]',
  {
    write: { type: 'string' },
    variant: { type: 'string', multiple: true, default: ['relu', 'topk', 'batchtopk', 'jumprelu'] },
    batch: { type: 'string', multiple: true, default: ['64', '128', '256', '512', '1024'] },
    seeds: { type: 'string', default: '3' },
    uneven: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    related: { type: 'boolean', default: false },
  },
);

const DEFINITIONS: Record<string, unknown> = {
  ...{ relu, topk, batchtopk, jumprelu, gated, matryoshka, abstopk, archetypal, kron, ortsae, vaease },
  ...{ temporal, transcoder, crosscoder },
  'skip-transcoder': skipTranscoder,
  'relu-bricken': reluBricken,
  'p-anneal': pAnneal,
  'multi-topk': multiTopk,
  'matching-pursuit': matchingPursuit,
  switch: switchSae,
  'frozen-decoder': frozenDecoder,
  'soft-frozen-decoder': softFrozenDecoder,
  'frozen-encoder': frozenEncoder,
};

const mean = (runs: Recovery[], name: keyof Recovery) => runs.reduce((sum, run) => sum + run[name], 0) / runs.length;
const signed = (value: number) => (value < 0 ? '−' : '+') + Math.abs(value).toFixed(3);

let related: RelatedData | undefined;
const relationOf = (variant: string) =>
  relatedTo(variant, () => {
    related ??= relatedData(0, options.wide ? WIDE : SYNTHETIC);
    return related;
  });
let plain: SyntheticData | undefined;
const data = () => {
  plain ??= syntheticData(0, options.wide ? WIDE : options.uneven ? UNEVEN : SYNTHETIC);
  return plain;
};

async function line(variant: string, batch: number): Promise<string> {
  const definition = DEFINITIONS[variant] as SaeDefinition<unknown>;
  const runs: Recovery[] = [];
  const [rows, relation] = relationOf(variant) ?? [data(), {}];
  for (let seed = 0; seed < seeds; seed++) {
    const { d_sae, tokens } = options.wide ? WIDE_RUN : { d_sae: undefined, tokens: undefined };
    const training = { batchSize: batch, ...(tokens === undefined ? {} : { tokens }) };
    runs.push(
      await recover(definition, rows, { ...relation, ...(d_sae === undefined ? {} : { d_sae }), training, seed }),
    );
  }
  const [ev, mmcs, l0, dead] = [mean(runs, 'ev'), mean(runs, 'mmcs'), mean(runs, 'l0'), mean(runs, 'dead')];
  const ours = [ev, mmcs, l0, dead].map((value) => value.toFixed(3));
  const best = bestReference(references, variant, batch, l0);
  if (!best) return [variant, batch, ...ours, 'none at this L0', ...Array(8).fill('')].join(' | ');
  const matched = Object.keys(sparsityOf(definition, rows.world.l0)).length > 0;
  const verdict = verdictOf({ ev, mmcs }, best, matched);
  const its = [best.ev, best.mmcs, best.l0, best.dead].map((value) => value.toFixed(3));
  const differences = [signed(ev - best.ev), signed(mmcs - best.mmcs)];
  return [variant, batch, ...ours, best.peer, ...its, best.lr, ...differences, verdict].join(' | ');
}

if (options.wide && (options.uneven || options.write !== undefined)) {
  refuse('perf:synthetic', '--wide: expected neither --uneven nor --write beside it.');
}
if (options.related && (options.uneven || options.write === undefined)) {
  refuse(
    'perf:synthetic',
    '--related: expected --write beside it and no --uneven; which variants are tried on such rows is fixed.',
  );
}
const own = options.uneven ? options.variant.find((variant) => RELATED.includes(variant)) : undefined;
if (own !== undefined)
  refuse('perf:synthetic', `--uneven: expected a variant other than ${RELATED.join(', ')}; found '${own}'.`);
const seeds = wholeNumber('perf:synthetic', 'seeds', options.seeds);
const batches = options.batch.map((batch) => wholeNumber('perf:synthetic', 'batch', batch));
// Peers were run on the narrow worlds alone.
const references = options.wide ? [] : referenceRuns(options.uneven);
if (options.write !== undefined && options.related) {
  await writeRelated(options.write, relatedData(0));
} else if (options.write !== undefined) {
  await writeSynthetic(options.write, data());
} else {
  const unknown = options.variant.find((variant) => !(variant in DEFINITIONS));
  if (unknown !== undefined) {
    refuse('perf:synthetic', `--variant: expected one of ${Object.keys(DEFINITIONS).join(', ')}; found '${unknown}'.`);
  }
  await initBackend('auto');
  const columns = ['variant', 'batch', 'EV', 'MMCS', 'L0', 'dead'];
  const its = ['peer', 'its EV', 'MMCS', 'L0', 'dead', 'lr', 'EV −', 'MMCS −', 'verdict'];
  console.log(`| ${[...columns, ...its].join(' | ')} |\n|${'---|'.repeat(columns.length + its.length)}`);
  for (const variant of options.variant) {
    for (const batch of batches) console.log(`| ${await line(variant, batch)} |`);
  }
}
