/**
 * @file Default recipes against SAELens at its best on the synthetic data:
 * `npm run perf:synthetic -- [--variant relu] [--batch 64] [--seeds 3]` prints a table, and
 * `npm run perf:synthetic -- --write DIR` the data, for `peers/sae_synthetic.py` and `saxbench run --activations DIR`.
 */
import { parseArgs } from 'node:util';
import abstopk from '../../../models/sae/abstopk.ts';
import batchtopk from '../../../models/sae/batchtopk.ts';
import gated from '../../../models/sae/gated.ts';
import jumprelu from '../../../models/sae/jumprelu.ts';
import matryoshka from '../../../models/sae/matryoshka.ts';
import relu from '../../../models/sae/relu.ts';
import topk from '../../../models/sae/topk.ts';
import type { SaeDefinition } from '../../contract.ts';
import { initBackend } from '../../num/backend.ts';
import { syntheticData, writeSynthetic } from './data.ts';
import { type Recovery, recover } from './recover.ts';
import { bestReference, referenceRuns } from './reference.ts';

const { values: options } = parseArgs({
  options: {
    write: { type: 'string' },
    variant: { type: 'string', multiple: true, default: ['relu', 'topk', 'batchtopk', 'jumprelu'] },
    batch: { type: 'string', multiple: true, default: ['64', '128', '256', '512', '1024'] },
    seeds: { type: 'string', default: '3' },
  },
});

/** Most that a recipe may stay behind. */
const BEHIND = { ev: 0.01, mmcs: 0.02 };
const DEFINITIONS = { relu, topk, batchtopk, jumprelu, gated, matryoshka, abstopk };

const mean = (runs: Recovery[], name: keyof Recovery) => runs.reduce((sum, run) => sum + run[name], 0) / runs.length;
const signed = (value: number) => (value < 0 ? '−' : '+') + Math.abs(value).toFixed(3);

async function line(variant: string, batch: number, seeds: number): Promise<string> {
  const definition = DEFINITIONS[variant as keyof typeof DEFINITIONS] as SaeDefinition<unknown>;
  const runs: Recovery[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    runs.push(await recover(definition, data, { training: { batchSize: batch }, seed }));
  }
  const [ev, mmcs, l0, dead] = [mean(runs, 'ev'), mean(runs, 'mmcs'), mean(runs, 'l0'), mean(runs, 'dead')];
  const ours = [ev, mmcs, l0, dead].map((value) => value.toFixed(3));
  const best = bestReference(references, variant, batch, l0);
  if (!best) return [variant, batch, ...ours, 'none at this L0', '', '', '', '', '', ''].join(' | ');
  const [behindEv, behindMmcs] = [ev - best.ev, mmcs - best.mmcs];
  const verdict = behindEv >= -BEHIND.ev && behindMmcs >= -BEHIND.mmcs ? 'reached' : 'behind';
  const its = [best.ev, best.mmcs, best.l0, best.dead].map((value) => value.toFixed(3));
  return [variant, batch, ...ours, ...its, best.lr, signed(behindEv), signed(behindMmcs), verdict].join(' | ');
}

const data = syntheticData(0);
const references = referenceRuns();
if (options.write !== undefined) {
  await writeSynthetic(options.write, data);
} else {
  const unknown = options.variant.find((variant) => !(variant in DEFINITIONS));
  if (unknown !== undefined) {
    console.error(`perf: --variant: expected one of ${Object.keys(DEFINITIONS).join(', ')}; found '${unknown}'.`);
    process.exit(2);
  }
  await initBackend('auto');
  const columns = ['variant', 'batch', 'EV', 'MMCS', 'L0', 'dead'];
  const its = ['EV of SAELens', 'MMCS', 'L0', 'dead', 'lr', 'EV −', 'MMCS −', 'verdict'];
  console.log(`| ${[...columns, ...its].join(' | ')} |\n|${'---|'.repeat(columns.length + its.length)}`);
  for (const variant of options.variant) {
    for (const batch of options.batch.map(Number))
      console.log(`| ${await line(variant, batch, Number(options.seeds))} |`);
  }
}
