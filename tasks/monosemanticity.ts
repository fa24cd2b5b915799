/** @file Monosemanticity: are the items that activate a latent alike, to an encoder that is not the subject? */
import { defineTask, type TaskContext, type TaskOutcome, UserError } from '../harness/contract.ts';
import {
  emptyCell,
  type MsScores,
  msScores,
  msScoresDense,
  type PooledLatents,
  poolLatents,
  thresholdToRate,
} from '../harness/kit/index.ts';
import { type ControlName, pooledControl, prepareControls } from './monosemanticity/controls.ts';
import { aboveControl, METRICS, msCells, msCurve, type Scored, SUPPORT } from './monosemanticity/metrics.ts';
import { tfidfEmbedding } from './monosemanticity/text-embedding.ts';

interface Options {
  rates: number[];
  latentDetails: number;
}

/** Embedding of the items, as prepared. */
interface Embedded {
  description: string;
}

/**
 * The MS score (Pach et al. 2025) in its exact linear-time form. An item's activation is the maximum over its kept
 * positions. For a dense signed unit the min-max scaling makes every item weigh about one half, so its MS is near the floor
 * whatever it detects: dense methods are therefore also thresholded to fixed rates of firing, and every sparse
 * dictionary stands beside neurons, components and random directions thresholded to its own mean rate.
 */
export default defineTask<Options>({
  id: 'monosemanticity',
  title: 'Monosemanticity (MS score)',
  paper: 'Pach et al. 2025, arXiv:2504.02821',
  version: 3,
  options: {
    rates: {
      type: 'array',
      items: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
      default: [0.01, 0.05, 0.1],
      description:
        'Shares of items on which the units of dense methods are made to fire; shares of fewer than 10 items are left out.',
    },
    latentDetails: {
      type: 'integer',
      minimum: 0,
      default: 4096,
      description: 'Largest number of latents for which every single score is kept in the result.',
    },
  },
  metrics: METRICS,
  axes: {
    threshold:
      'raw: codes as they are; top-q%: each unit keeps its top q % of items; sae-rate: the same at the mean rate of the SAE',
    control: 'none: the method itself; neurons, pca, random: what stands beside an SAE',
  },
  shows: {
    columns: ['ms_mean', 'ms_control', 'ms_median', 'ms_norm', 'ms_supported', 'ms_floor', 'dead', 'single', 'l0'],
    ranked: { threshold: ['raw'], control: ['none'] },
    chance: 0,
    scatter: {
      x: 'l0',
      y: 'ms_mean',
      title: 'Mean MS score against L0',
      caption: 'Sparser dictionaries score higher by construction: that is why ranks go by what is above the control.',
      logX: true,
    },
    curves: {
      'ms-by-rank': {
        title: 'Distribution of the MS score',
        caption: 'MS score of each scored latent, sorted; the x axis is the rank as a share of latents.',
        x: 'rank (share of latents)',
        y: 'MS score',
      },
    },
  },
  seeded: false,
  async prepare({ dataset, test, testItems, progress }) {
    const embedding = (await dataset.embed?.(testItems)) ?? tfidfEmbedding(testItems);
    if (!embedding) return { json: {}, arrays: {} };
    requireDirections(embedding, testItems);
    progress(1, 2, 'embedding of items');
    const json: Embedded & Record<string, unknown> = { description: embedding.description };
    const rows = { shape: [testItems.length, embedding.dim], data: embedding.data };
    return { json, arrays: { embedding: rows, ...(await prepareControls(test)) } };
  },
  async run(context) {
    const { method, prepared, test } = context;
    const embedding = prepared.arrays['embedding']?.data as Float32Array | undefined;
    if (!embedding) return emptyOutcome('the dataset has no embedding of its items and the items have no text');
    if (!method.encode) return emptyOutcome(`'${method.id}' has no codes`);
    if (test.bounds.length < 3) return emptyOutcome('needs at least two items');
    const progress = (done: number, total: number) => context.progress(done, total, 'latents of items');
    const pooled = await poolLatents(method, test, { signal: context.signal, progress });
    const outcome: TaskOutcome = { rows: [], details: { embedding: prepared.json['description'] }, curves: {} };
    const ms = scoresOf(pooled, embedding);
    const firingRate = pooled.kind === 'sparse' ? meanFiringRate(pooled) : undefined;
    addRow(outcome, 'raw', 'none', ms, { l0: pooled.l0, firingRate });
    if (pooled.d_sae <= context.options.latentDetails) outcome.details!['latents'] = latentDetails(ms);
    if (pooled.kind === 'dense') {
      // On fewer items a unit's score is the likeness of a few that happened to be drawn: high by chance alone.
      const rates = context.options.rates.filter((rate) => Math.round(rate * pooled.items) >= SUPPORT);
      for (const rate of rates) {
        addRow(
          outcome,
          `top-${Number((100 * rate).toPrecision(6))}%`,
          'none',
          thresholded(pooled, rate, embedding).ms,
          {
            firingRate: rate,
          },
        );
      }
    } else if (firingRate !== undefined) {
      const controls: Scored[] = [];
      for (const name of ['neurons', 'pca', 'random'] as const) {
        const control = await addControl(outcome, context, name, atLeastTwo(firingRate, pooled.items), embedding);
        if (control) controls.push(control);
      }
      const own = outcome.rows[0]!;
      const compared = aboveControl({ ms, codes: pooled.max }, controls, embedding);
      if (compared) {
        Object.assign(own.metrics, compared.metrics);
        own.samples = compared.samples;
      }
    }
    return outcome;
  },
});

type Context = TaskContext<Options>;

/** @throws UserError for an embedding that has no direction, naming the item. */
function requireDirections({ data, dim }: { data: Float32Array; dim: number }, items: readonly { id: string }[]): void {
  items.forEach(({ id }, i) => {
    const square = data.subarray(i * dim, (i + 1) * dim).reduce((sum, value) => sum + value * value, 0);
    if (square > 0 && square < Infinity) return;
    throw new UserError(
      `monosemanticity: item '${id}': expected an embedding of positive finite length, found ${Math.sqrt(square)}`,
    );
  });
}

function scoresOf(pooled: PooledLatents, embedding: Float32Array): MsScores {
  return pooled.kind === 'sparse'
    ? inRange(msScores(pooled.max, embedding))
    : inRange(msScoresDense(pooled.max, pooled.items, pooled.d_sae, embedding));
}

function thresholded(pooled: PooledLatents & { kind: 'dense' }, rate: number, embedding: Float32Array): Scored {
  const codes = thresholdToRate(pooled.max, pooled.items, pooled.d_sae, rate);
  return { ms: inRange(msScores(codes, embedding)), codes };
}

/** Identical items have cosines a rounding error above 1; scores do not. */
function inRange(ms: MsScores): MsScores {
  const clamp = (value: number) => Math.min(1, Math.max(-1, value));
  return { ...ms, scores: ms.scores.map(clamp), uniformFloor: clamp(ms.uniformFloor) };
}

/** A share of items that is at least two of them: one item alone has no pair. */
function atLeastTwo(rate: number, items: number): number {
  return Math.max(rate, 2 / items);
}

async function addControl(
  outcome: TaskOutcome,
  context: Context,
  name: ControlName,
  rate: number,
  embedding: Float32Array,
): Promise<Scored | undefined> {
  if (name !== 'neurons' && !context.prepared.arrays[name]) return undefined;
  const { prepared, test, signal, progress } = context;
  const options = { signal, progress: (done: number, total: number) => progress(done, total, name) };
  const pooled = await pooledControl(name, prepared, test, options);
  const control = thresholded(pooled, rate, embedding);
  addRow(outcome, 'sae-rate', name, control.ms, { firingRate: rate });
  return control;
}

function addRow(
  outcome: TaskOutcome,
  threshold: string,
  control: string,
  ms: MsScores,
  extra: { l0?: number; firingRate?: number },
): void {
  outcome.rows.push({ axes: { threshold, control }, metrics: msCells(ms, extra), control: control !== 'none' });
  const curve = msCurve(ms);
  if (curve) outcome.curves![`ms-by-rank/${threshold}/${control}`] = curve;
}

/** Mean share of items on which a latent fires, over the latents that fire at all; undefined where none does. */
function meanFiringRate({ max, items }: PooledLatents & { kind: 'sparse' }): number | undefined {
  const alive = new Set(max.indices).size;
  return alive === 0 ? undefined : max.indices.length / alive / items;
}

function latentDetails(ms: MsScores): unknown {
  const round = (value: number) => (Number.isFinite(value) ? Math.round(value * 1e6) / 1e6 : null);
  return {
    ms: Array.from(ms.scores, round),
    effective_items: Array.from(ms.effectiveItems, round),
    status: ms.status.some((status) => status !== 'scored') ? ms.status : undefined,
  };
}

function emptyOutcome(reason: string): TaskOutcome {
  const metrics = Object.fromEntries(Object.keys(METRICS).map((name) => [name, emptyCell(reason)]));
  return { rows: [{ axes: { threshold: 'raw', control: 'none' }, metrics }] };
}
