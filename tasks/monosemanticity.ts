/** @file Monosemanticity: are the items that activate a latent alike, to an encoder that is not the subject? */
import {
  defineTask,
  type Item,
  type ItemEmbedder,
  type PooledLatents,
  type ResultRow,
  type TaskContext,
  type TaskOutcome,
  UserError,
} from '../harness/contract.ts';
import {
  allUnavailable,
  LATENT_EXAMPLES,
  type MsScores,
  msScores,
  msScoresDense,
  thresholdToRate,
} from '../harness/kit/index.ts';
import { poolControl, prepareControls } from './monosemanticity/controls.ts';
import { aboveControl, METRICS, msCells, msCurve, type Scored, SUPPORT } from './monosemanticity/metrics.ts';
import { shownLatents } from './monosemanticity/shown-latents.ts';
import { tfidfEmbedding } from './monosemanticity/text-embedding.ts';

interface Options {
  rates: number[];
  latentDetails: number;
  latentExamples: number;
  embedder?: string;
}

/** What is said of the embedding of the items, where there is one. */
interface Embedded {
  description?: string;
  /** Why there is none. */
  reason?: string;
}

/**
 * The MS score (Pach et al. 2025) in its exact linear-time form. An item's activation is the maximum over its kept
 * positions. For a dense signed unit the min-max scaling makes every item weigh about one half, so its MS is near the floor
 * whatever it detects: dense methods are therefore also thresholded to fixed rates of firing, and every sparse
 * dictionary stands beside neurons, components and random directions thresholded to its own mean rate.
 */
export default defineTask<Options, Embedded>({
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
    latentExamples: LATENT_EXAMPLES,
    embedder: {
      type: 'string',
      description:
        'An encoder that items are compared by, by its folder or name, e.g. a MiniLM for texts or a ViT for images. Default: what ' +
        'the dataset knows of its items, else TF-IDF of their texts.',
    },
  },
  metrics: METRICS,
  words: [],
  axes: {
    threshold:
      'raw: codes as they are; top-q%: each unit keeps its top q % of items; sae-rate: the same at the mean rate of the SAE',
    control: 'none: the method itself; neurons, pca, random: what stands beside an SAE',
  },
  shows: {
    columns: ['ms_mean', 'ms_control', 'ms_median', 'ms_norm', 'ms_supported', 'ms_floor', 'dead', 'single', 'l0'],
    ranked: { threshold: ['raw'], control: ['none'] },
    chance: 0,
    fronts: [
      {
        x: { metric: 'l0' },
        y: 'ms_above_control',
        title: 'MS above the control along each variant’s sparsities',
        caption: 'One line a variant and width. Ringed: no other setting has more with as few active latents.',
        logX: true,
        matched: true,
      },
    ],
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
  embeds: true,
  async prepare({ dataset, embedder, test, testItems, signal, progress }) {
    const reason = embedder && unread(embedder, testItems);
    if (reason) return { json: { reason }, arrays: {} };
    const embedding = embedder
      ? { ...(await embedder.embed(testItems, signal)), description: embedder.description }
      : ((await dataset.embed?.(testItems)) ?? tfidfEmbedding(testItems));
    if (!embedding) return { json: {}, arrays: {} };
    requireDirections(embedding, testItems);
    progress(1, 2, 'embedding of items');
    const rows = { shape: [testItems.length, embedding.dim], data: embedding.data };
    return {
      json: { description: embedding.description },
      arrays: { embedding: rows, ...(await prepareControls(test)) },
    };
  },
  async run(context) {
    const { method, prepared, test } = context;
    const embedding = prepared.arrays['embedding']?.data as Float32Array | undefined;
    if (!embedding) {
      const none = 'the dataset has no embedding of its items and the items have no text';
      return emptyOutcome(prepared.json.reason ?? none);
    }
    if (!method.encode) return emptyOutcome(`'${method.id}' has no codes`);
    if (test.bounds.length < 3) return emptyOutcome('needs at least two items');
    const pooled = await context.latents(test);
    const ms = scoresOf(pooled, embedding);
    const firingRate = pooled.kind === 'sparse' ? meanFiringRate(pooled) : undefined;
    const own = msRow('raw', 'none', ms, { l0: pooled.l0, firingRate });
    const beside =
      pooled.kind === 'dense'
        ? thresholdedRows(pooled, context.options.rates, embedding)
        : await besideControls(context, pooled, ms, firingRate, embedding);
    const { metrics, samples } = beside.compared ?? {};
    const compared = { ...own.row, metrics: { ...own.row.metrics, ...metrics }, ...(samples ? { samples } : {}) };
    const rows = [{ ...own, row: compared }, ...beside.rows];
    return {
      rows: rows.map(({ row }) => row),
      details: {
        embedding: prepared.json.description,
        ...(pooled.d_sae <= context.options.latentDetails ? { latents: latentDetails(ms) } : {}),
      },
      ...(await shownLatents(context, pooled, ms)),
      curves: Object.fromEntries(rows.flatMap(({ name, curve }) => (curve ? [[`ms-by-rank/${name}`, curve]] : []))),
    };
  },
});

/** Why an embedder cannot embed the items; undefined where it can. */
function unread({ id, reads }: ItemEmbedder, items: readonly Item[]): string | undefined {
  if (items.every((item) => reads.some((part) => item[part] !== undefined))) return undefined;
  return `the embedder ${id} reads ${reads.join('s and ')}s, which not every item has`;
}

type Context = TaskContext<Options, Embedded>;

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

/** A row with its curve and the name of that. */
interface MsRow {
  name: string;
  row: ResultRow;
  curve?: { x: number[]; y: number[] } | undefined;
}

function msRow(
  threshold: string,
  control: string,
  ms: MsScores,
  extra: { l0?: number; firingRate?: number | undefined },
): MsRow {
  const row = { axes: { threshold, control }, metrics: msCells(ms, extra), control: control !== 'none' };
  return { name: `${threshold}/${control}`, row, curve: msCurve(ms) };
}

/** What the rows beside a method's own are, and what they add to it. */
interface Beside {
  compared?: Pick<ResultRow, 'metrics' | 'samples'>;
  rows: MsRow[];
}

/** Rows of a dense method made to fire at fixed rates. */
function thresholdedRows(pooled: PooledLatents & { kind: 'dense' }, rates: number[], embedding: Float32Array): Beside {
  // On fewer items a unit's score is the likeness of a few that happened to be drawn: high by chance alone.
  const enough = rates.filter((rate) => Math.round(rate * pooled.items) >= SUPPORT);
  const rows = enough.map((rate) => {
    const name = `top-${Number((100 * rate).toPrecision(6))}%`;
    return msRow(name, 'none', thresholded(pooled, rate, embedding).ms, { firingRate: rate });
  });
  return { rows };
}

/** Rows of the controls that fire as often as a sparse method does, and how it compares with the best of them. */
async function besideControls(
  context: Context,
  { max: codes, items }: PooledLatents & { kind: 'sparse' },
  ms: MsScores,
  firingRate: number | undefined,
  embedding: Float32Array,
): Promise<Beside> {
  if (firingRate === undefined) return { rows: [] };
  const { prepared, test, signal, progress } = context;
  const rate = atLeastTwo(firingRate, items);
  const controls: Scored[] = [];
  const rows: MsRow[] = [];
  for (const name of ['neurons', 'pca', 'random'] as const) {
    if (name !== 'neurons' && !prepared.arrays[name]) continue;
    const note = (done: number, total: number) => progress(done, total, name);
    const pooled = await context.shared(name, () => poolControl(name, prepared, test, { signal, progress: note }));
    const control = thresholded(pooled, rate, embedding);
    controls.push(control);
    rows.push(msRow('sae-rate', name, control.ms, { firingRate: rate }));
  }
  const compared = aboveControl({ ms, codes }, controls, embedding);
  return { ...(compared ? { compared } : {}), rows };
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
  const unavailable = allUnavailable(METRICS, reason);
  return { rows: [{ axes: { threshold: 'raw', control: 'none' }, metrics: {}, unavailable }] };
}
