/** @file Ground truth: of the features that the activations are known to be made of, which does a dictionary find? */
import { setImmediate } from 'node:timers/promises';
import {
  defineTask,
  type Item,
  type PrepareContext,
  type ResultRow,
  type TaskContext,
  UserError,
} from '../harness/contract.ts';
import {
  absoluteCosines,
  allUnavailable,
  type Csr,
  csrConcat,
  csrFromDense,
  emptyCell,
  type FeatureMatch,
  firingOf,
  firstItems,
  type KeptSource,
  matchFeatures,
  meanInterval,
  measuredCell,
  measureReconstruction,
  type Reconstruction,
  type TokenCodes,
} from '../harness/kit/index.ts';
import { codeCells, firingCells, matchCells, mccSamples } from './ground-truth/cells.ts';
import { keepKnown, knownFrom } from './ground-truth/known.ts';
import { CODE_METRICS, FIRING_METRICS, MATCH_METRICS, METRICS, WORLD_METRICS } from './ground-truth/metrics.ts';
import { probeF1 } from './ground-truth/probe.ts';
import { curvesOf, detailsOf } from './ground-truth/series.ts';

interface Options {
  recoveredAt: number;
  probeRows: number;
  probes: number;
}

/** What is known of the world, once for all methods. */
interface World {
  /** F1 of the probes of some features, null where it has too few rows. */
  probes: (number | null)[];
  trueL0: number;
}

type Context = TaskContext<Options, World>;

/** Items whose features are drawn at a time. */
const ITEMS = 1024;

/**
 * SynthSAEBench's protocol (saebench.md §4.2) in float64, with what its headline leaves out: features that no latent has
 * count in `feature_f1`, and the ceiling and the floors stand beside. Explained variance is here to show that it is not
 * the same thing.
 */
export default defineTask<Options, World>({
  id: 'ground-truth',
  title: 'Ground truth: known features found',
  paper: 'Chanin & Garriga-Alonso 2026 (SynthSAEBench), arXiv:2602.14687; Korznikov et al. 2026, arXiv:2602.14111',
  version: 1,
  options: {
    recoveredAt: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.9,
      description: '|cos| from which on a feature counts as recovered.',
    },
    probeRows: {
      type: 'integer',
      minimum: 100,
      default: 8192,
      description: 'Training rows of the probes that are the ceiling, and of the thresholds of feature_f1_threshold.',
    },
    probes: {
      type: 'integer',
      minimum: 0,
      default: 256,
      description: 'Features that are probed, spread evenly from the most to the least frequent; 0: no ceiling.',
    },
  },
  metrics: METRICS,
  words: [],
  axes: {},
  shows: {
    columns: [
      ...[
        'many_to_one',
        'recovered',
        'feature_f1_threshold',
        'feature_f1',
        'f1_ceiling',
        'f1',
        'precision',
        'recall',
        'uniqueness',
      ],
      ...['explained_variance', 'l0', 'true_l0', 'shrinkage', 'absorption', 'split', 'composition', 'alive'],
    ],
    scatter: {
      x: 'explained_variance',
      y: 'mcc',
      title: 'Features found against variance explained',
      caption: 'Reconstruction is not recovery: what explains as much may have found far fewer features.',
    },
    fronts: [
      {
        x: { metric: 'l0' },
        y: 'mcc',
        title: 'MCC along each variant’s sparsities',
        caption: 'One line a variant and width. Ringed: no other setting has more with as few active latents.',
        logX: true,
        matched: true,
      },
    ],
    curves: {
      'by-frequency': {
        title: 'Recovery by frequency',
        caption: 'Mean |cos| of the matched latent, features taken together by how often they are active.',
        x: 'share of rows on which the features are active',
        y: '|cos|',
        logX: true,
      },
    },
  },
  seeded: false,
  controls: ['random'],
  unavailable({ dataset, site }) {
    if (!dataset.groundTruth) return `the dataset ${dataset.id} does not know the features of its activations`;
    return site.kind === 'pooled' ? undefined : 'needs one row an item';
  },
  async prepare(context) {
    const { dataset, test, testItems, train, options } = context;
    const truth = await truthOf(context, testItems);
    const active = new Set(truth.indices);
    const { features, directions } = dataset.groundTruth!;
    const chosen = Array.from({ length: Math.min(options.probes, features) }, (_, i) =>
      Math.floor((i * features) / Math.min(options.probes, features)),
    ).filter((feature) => active.has(feature));
    const rows = Math.min(options.probeRows, train.n);
    // All of them, as they were collected: what items there are may depend on how many are asked for.
    const items = (await dataset.corpus('train', train.n)).slice(0, rows);
    const trainTruth = await truthOf(context, items);
    const probes = await probeF1(
      { x: await train.read(0, rows), truth: trainTruth },
      { x: await test.read(0, test.n), truth },
      test.d_in,
      chosen,
      (done) => pause(context, done, chosen.length, 'probes'),
    );
    const json = { probes, trueL0: truth.indices.length / truth.n };
    return { json, arrays: keepKnown(trainTruth, truth, await directions()) };
  },
  async run(context) {
    const { method, dataset, test, train, options, prepared } = context;
    const { parents } = dataset.groundTruth!;
    const { train: trainTruth, truth, directions } = knownFrom(prepared.arrays);
    const row: ResultRow = { axes: {}, metrics: worldCells(context), unavailable: {} };
    const match = matchOf(context, directions);
    if (match) {
      row.metrics = { ...row.metrics, ...matchCells(match, options.recoveredAt) };
      row.samples = mccSamples(match);
    } else Object.assign(row.unavailable!, allUnavailable(MATCH_METRICS, `'${method.id}' has no directions`));
    const encoded = method.encode ? await encode(context, test) : undefined;
    if (encoded) row.metrics = { ...row.metrics, ...codeCells(encoded.measured, method.decode !== undefined) };
    Object.assign(
      row.unavailable!,
      allUnavailable(CODE_METRICS, `'${method.id}' ${encoded ? 'cannot decode' : 'has no codes'}`),
    );
    if (!match || !encoded?.codes) {
      const reason = encoded && !encoded.codes ? 'is dense: it has no firing' : 'has no codes with directions';
      Object.assign(row.unavailable!, allUnavailable(FIRING_METRICS, `'${method.id}' ${reason}`));
      return { rows: [row], ...(match ? { curves: curvesOf(match, truth) } : {}) };
    }
    const firing = firingOf(encoded.codes, truth);
    // Thresholds need no reconstruction, which of dense codes costs as much as the codes.
    const { decode: _, ...encoder } = method;
    const { codes: trained } = await encode({ ...context, method: encoder }, firstItems(train, trainTruth.n));
    const trainFiring = firingOf(trained!, trainTruth);
    row.metrics = { ...row.metrics, ...firingCells(match, encoded.codes, firing, trainFiring, parents) };
    return { rows: [row], details: detailsOf(match, firing), curves: curvesOf(match, truth) };
  },
});

type Progress = Pick<PrepareContext<Options>, 'signal' | 'progress'>;

/** Tells how far it is, and lets an abort come through. */
async function pause({ signal, progress }: Progress, done: number, total: number, note: string): Promise<void> {
  progress(done, total, note);
  await setImmediate();
  signal?.throwIfAborted();
}

/** Features of items, some at a time: at 16,384 features 1,000 items take seconds. */
async function truthOf(context: PrepareContext<Options>, items: readonly Item[]): Promise<Csr> {
  const parts: Csr[] = [];
  for (let first = 0; first < items.length; first += ITEMS) {
    await pause(context, first, items.length, 'features');
    parts.push(context.dataset.groundTruth!.of(items.slice(first, first + ITEMS)));
  }
  return csrConcat(parts);
}

function worldCells({ prepared, testItems }: Context) {
  const { probes, trueL0 } = prepared.json;
  const known = probes.filter((f1) => f1 !== null);
  return {
    true_l0: { value: trueL0, ci95: null, n: testItems.length },
    f1_ceiling:
      known.length > 0
        ? measuredCell(meanInterval(known, WORLD_METRICS['f1_ceiling']!.range), '')
        : emptyCell('no feature was probed, or none has enough rows'),
  };
}

/** @throws UserError for directions of another width than the features'. */
function matchOf({ method, dataset, test }: Context, truth: Float32Array): FeatureMatch | undefined {
  const { features } = dataset.groundTruth!;
  const found = method.directions?.();
  if (!found) return undefined;
  const d = truth.length / features;
  if (d !== test.d_in || found.length % d !== 0) {
    throw new UserError(
      `ground-truth: '${method.id}': expected directions of width ${d}, as the features of ${dataset.id} have; found ${found.length} numbers.`,
    );
  }
  return matchFeatures(absoluteCosines(found, truth, d), found.length / d, features);
}

/** Codes of the test rows, where they are sparse, and what the reconstruction keeps. */
async function encode(
  { method, signal, progress }: Progress & Pick<Context, 'method'>,
  test: KeptSource,
): Promise<{ codes?: Csr; measured: Reconstruction }> {
  const parts: Csr[] = [];
  const onCodes = (codes: TokenCodes) => {
    // Signed codes are no `sparse` method's, but k-sparse all the same: what is not 0 fires.
    if (method.sparse || !('dense' in codes)) parts.push(sparseRows(codes));
  };
  const note = (done: number, total: number) => progress(done, total, 'codes');
  const measured = await measureReconstruction(method, test, { signal, progress: note, onCodes });
  return { measured, ...(parts.length > 0 ? { codes: csrConcat(parts) } : {}) };
}

const sparseRows = (codes: TokenCodes): Csr =>
  'dense' in codes ? csrFromDense(codes.dense, codes.n, codes.d_sae) : codes;
