/** @file starter: a task that tells which share of a method's latents ever fires. Change `metrics` and `run` into your own. */
import { defineTask, type MetricDefinition } from 'saxbench';
import { allUnavailable, meanInterval, measuredCell } from 'saxbench/kit';

/** Options, as a suite gives them or `--option starter.above=0.1`. */
interface Options {
  above: number;
}

const RANGE: [number, number] = [0, 1];

/** What is measured: the main one ranks methods. Values outside the range are refused. */
const metrics: Record<string, MetricDefinition> = {
  alive: {
    description: 'Share of the latents that are above the threshold in at least one held-out item.',
    direction: 'max',
    range: RANGE,
    unit: 'share',
    main: true,
  },
};

export default defineTask<Options>({
  id: 'starter', // as the file is named
  title: 'starter: latents that fire',
  version: 1, // raise it when the numbers change
  options: {
    above: { type: 'number', minimum: 0, default: 0, description: 'A latent fires where it is above this.' },
  },
  metrics,
  axes: {}, // settings under which a method has several rows, e.g. { selection: 'how a latent is chosen' }
  seeded: false, // whether two seeds give two results for one fitted method
  async run({ method, test, options, latents }) {
    // What a method cannot do is an empty cell with its reason, never a zero.
    const empty = (reason: string) => ({
      rows: [{ axes: {}, metrics: {}, unavailable: allUnavailable(metrics, reason) }],
    });
    if (!method.encode) return empty('it has no latents');
    // The largest value of each latent over an item's positions: kept once for all tasks, not to be changed.
    const pooled = await latents(test);
    if (pooled.kind === 'dense') return empty('its codes are dense: every latent fires everywhere');
    // Sparse rows: an item's latents are `indices`, their values beside them.
    const { indices, values } = pooled.max;
    const fires = new Float64Array(pooled.d_sae);
    for (const [i, latent] of indices.entries()) if (values[i]! > options.above) fires[latent] = 1;
    // The mean with its 95 % interval, here over latents.
    return { rows: [{ axes: {}, metrics: { alive: measuredCell(meanInterval(fires, RANGE), 'no latents') } }] };
  },
});
