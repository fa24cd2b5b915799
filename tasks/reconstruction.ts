/** @file Reconstruction: what a dictionary keeps of the activations, and what its error costs the subject. */
import {
  type ActivationSet,
  defineTask,
  type FittedMethod,
  type MetricDefinition,
  type MetricValue,
  type PrepareContext,
  type Prepared,
  type ResultRow,
  type TaskContext,
} from '../harness/contract.ts';
import { allUnavailable, measureReconstruction, reconstruct, reconstructionCells } from '../harness/kit/index.ts';
import { CLIP_RATIOS, prepareClip, spliceClip } from './reconstruction/clip.ts';
import { documentRatios } from './reconstruction/document-ratios.ts';
import {
  decoderCells,
  densityCurve,
  explainedVarianceCell,
  explainedVarianceSamples,
  meanActivation,
} from './reconstruction/geometry.ts';
import { LM_RATIOS, prepareLm, spliceLm } from './reconstruction/language-model.ts';
import {
  CLIP_METRICS,
  CODE_METRICS,
  DECODER_METRICS,
  GAP_METRICS,
  LM_METRICS,
  RECONSTRUCTION_METRICS,
} from './reconstruction/metrics.ts';
import type { Replacement } from './reconstruction/splice.ts';
import { gapMarks, generalisationGap, trainingRows, trainingSource } from './reconstruction/training-rows.ts';

interface Options {
  documents: number;
  cleanMiB: number;
}

type Cells = Pick<ResultRow, 'metrics'> & { unavailable: Record<string, string> };

/** Training rows of the site that is reconstructed, where that is another. */
const TARGET_ROWS = 'target_rows';

/**
 * SAEBench's core metrics (saebench.md §1.1) with its faults mended: the intended formula of explained variance, sums in
 * float64 over all positions, KL from log-softmax, plain mean squared error, |f| in L1. Special tokens and
 * positions that are left out take no part, and keep their x where x̂ is spliced in, as in SAEBench and SAELens; ablations leave
 * them alone too. Where a filter left positions out, a second row has the same numbers with them.
 */
export default defineTask<Options>({
  id: 'reconstruction',
  title: 'Reconstruction',
  paper: 'Karvonen et al. 2025 (SAEBench), arXiv:2503.09532',
  version: 6,
  options: {
    documents: {
      type: 'integer',
      minimum: 1,
      default: 64,
      description: 'Test items whose forward pass is run with x̂ in place of x (all of them measure the geometry).',
    },
    cleanMiB: {
      type: 'number',
      minimum: 0,
      default: 64,
      description:
        'MiB kept of the clean passes for all methods: log-probabilities, else what the unembedding makes them of; beyond it each method runs the model again.',
    },
  },
  metrics: allMetrics(),
  words: [],
  axes: {
    positions: 'Which positions: those that count; or `unfiltered`, with the attention sinks that are left out.',
  },
  shows: {
    columns: [
      'generalisation_gap',
      'l0',
      'ce_loss_score',
      'kl_score',
      'zero_shot_change',
      'logit_change',
      'cosine',
      'l2_ratio',
      'fraction_alive',
    ],
    overview: ['ce_loss_score', 'zero_shot_change'],
    bands: { metric: 'l0', ratio: 2, dense: 0.5 },
    scatter: {
      x: 'l0',
      y: 'explained_variance',
      title: 'Explained variance against L0',
      caption: 'Up and to the left is better: more of the variance with fewer active latents. Bars are 95 % intervals.',
      logX: true,
    },
    fronts: [
      {
        x: { metric: 'l0' },
        y: 'explained_variance',
        title: 'Explained variance along each variant’s sparsities',
        caption: 'One line a variant and width. Ringed: no other setting has more with as few active latents.',
        logX: true,
        matched: true,
      },
      {
        x: { metric: 'l0' },
        y: 'ce_loss_score',
        title: 'CE recovered along each variant’s sparsities',
        caption: 'One line a variant and width. Ringed: no other setting has more with as few active latents.',
        logX: true,
        matched: true,
      },
    ],
    scaling: { missing: 'explained_variance' },
    curves: {
      density: {
        title: 'Firing density of latents',
        caption:
          'Number of latents by how often they fire (log10 of the share of positions). Far left: nearly dead; near 0: ' +
          'always on.',
        x: 'log10 density',
        y: 'latents',
      },
    },
  },
  seeded: false,
  readsTarget: true,
  async prepare(context) {
    const { subject, testItems, dataset, options, target, signal, progress } = context;
    const { site, train, test } = target ?? context;
    const heldOut = test.keep.reduce((sum, flag) => sum + flag, 0);
    const arrays: Prepared['arrays'] = await trainingRows(context.train, heldOut);
    // The same rows: which ones they are depends on the items alone.
    if (target) arrays[TARGET_ROWS] = (await trainingRows(train, heldOut))['training_rows']!;
    const passes = { documents: options.documents, cleanMiB: options.cleanMiB, signal, progress };
    if (site.parts) return { json: {}, arrays };
    if (subject?.type === 'lm') {
      const mean = await meanActivation(train);
      Object.assign(arrays, await prepareLm(subject, site.name, test, mean, passes));
    } else if (subject?.type === 'clip' && clipReason(context) === undefined) {
      Object.assign(arrays, await prepareClip(subject, test, testItems, dataset.zeroShot ?? [], passes));
    }
    return { json: {}, arrays };
  },
  async run(context) {
    const { method, test, target, signal, progress } = context;
    if (!method.encode) {
      const unavailable = allUnavailable(allMetrics(), `'${method.id}' has no codes`);
      return { rows: [{ axes: {}, metrics: {}, unavailable }] };
    }
    const note = (done: number, total: number) => progress(done, total, 'codes');
    const measured = await measureReconstruction(method, test, {
      ...(target ? { target: target.test } : {}),
      signal,
      progress: note,
    });
    const known = method.decode ? { ...CODE_METRICS, ...RECONSTRUCTION_METRICS } : CODE_METRICS;
    const geometry = reconstructionCells(measured, known);
    const training = method.decode ? await trainingCells(context, geometry['explained_variance']!) : undefined;
    const ofSubject = method.decode ? await subjectCells(context) : undefined;
    const samples = method.decode && explainedVarianceSamples(measured);
    const row: ResultRow = {
      axes: {},
      metrics: { ...geometry, ...training?.metrics, ...decoderCells(method), ...ofSubject?.metrics },
      unavailable: { ...allUnavailable(allMetrics(), `'${method.id}' cannot decode`), ...ofSubject?.unavailable },
      ...(samples ? { samples } : {}),
    };
    return {
      rows: [row, ...(await unfilteredRows(context, known))],
      curves: { density: densityCurve(measured) },
      marks: training?.marks ?? [],
    };
  },
});

/** The same method on all positions, where a filter of positions left some out: what they make of its numbers. */
async function unfilteredRows(
  { method, test, target, signal }: TaskContext<Options>,
  known: Record<string, MetricDefinition>,
): Promise<ResultRow[]> {
  const { unfiltered } = test;
  if (!unfiltered) return [];
  const all = (set: ActivationSet) => ({ ...set, keep: unfiltered });
  const measured = await measureReconstruction(method, all(test), {
    ...(target ? { target: all(target.test) } : {}),
    signal,
    progress: () => {},
  });
  const reason = 'measured at the positions that count';
  return [
    {
      axes: { positions: 'unfiltered' },
      metrics: reconstructionCells(measured, known),
      unavailable: allUnavailable(allMetrics(), reason),
    },
  ];
}

function allMetrics(): Record<string, MetricDefinition> {
  return {
    ...RECONSTRUCTION_METRICS,
    ...GAP_METRICS,
    ...CODE_METRICS,
    ...DECODER_METRICS,
    ...LM_METRICS,
    ...CLIP_METRICS,
  };
}

/** How well training rows are explained beside held-out ones. */
async function trainingCells({ method, prepared, signal }: TaskContext<Options>, heldOut: MetricValue) {
  const name = 'explained_variance_training';
  const { [TARGET_ROWS]: wanted, ...arrays } = prepared.arrays;
  const target = wanted && { target: trainingSource({ ...arrays, training_rows: wanted }) };
  const options = { ...target, signal, progress: () => {} };
  const measured = await measureReconstruction(method, trainingSource(arrays), options);
  const training = explainedVarianceCell(measured, GAP_METRICS[name]!);
  const gap = generalisationGap(training, heldOut);
  return { metrics: { [name]: training, generalisation_gap: gap }, marks: gapMarks(gap, training, heldOut) };
}

/** Why the CLIP metrics cannot be had here. */
function clipReason({ site, testItems, options, target }: PrepareContext<Options>): string | undefined {
  if (target) return 'not measured where a method reconstructs another site';
  if (!site.name.startsWith('vision.')) return 'measured at sites of the vision tower only';
  return testItems.slice(0, options.documents).every(({ image }) => image) ? undefined : 'test items have no images';
}

/** The metrics that need the subject. */
async function subjectCells(context: TaskContext<Options>): Promise<Cells> {
  const { subject, testItems, dataset, prepared, method, options, target, signal, progress } = context;
  const { site, test } = target ?? context;
  if (!subject) {
    const reason = 'needs a subject: activations were imported';
    return { metrics: {}, unavailable: allUnavailable({ ...LM_METRICS, ...CLIP_METRICS }, reason) };
  }
  if (site.parts) {
    const reason = 'not measured at a joint site: each of its sites would have to be replaced by itself';
    return { metrics: {}, unavailable: allUnavailable({ ...LM_METRICS, ...CLIP_METRICS }, reason) };
  }
  const replace = replacement(method);
  const passes = { documents: options.documents, signal, progress };
  if (subject.type === 'lm') {
    const source = target ? { source: context.test } : {};
    const sums = await spliceLm(subject, site.name, test, prepared, replace, { ...passes, ...source });
    const metrics = documentRatios(sums, 'tokens', LM_RATIOS, LM_METRICS);
    return { metrics, unavailable: allUnavailable(CLIP_METRICS, 'needs a CLIP') };
  }
  const noLm = allUnavailable(LM_METRICS, 'needs a language model');
  if (subject.type !== 'clip') {
    return { metrics: {}, unavailable: { ...noLm, ...allUnavailable(CLIP_METRICS, 'needs a CLIP') } };
  }
  const reason = clipReason(context);
  if (reason !== undefined) return { metrics: {}, unavailable: { ...noLm, ...allUnavailable(CLIP_METRICS, reason) } };
  const sums = await spliceClip(subject, site, test, testItems, dataset.zeroShot ?? [], prepared, replace, passes);
  const missing = allUnavailable(CLIP_METRICS, 'the dataset has no zero-shot task, or its items no captions');
  const measured = Object.entries(documentRatios(sums, 'items', CLIP_RATIOS, CLIP_METRICS));
  const metrics = Object.fromEntries(measured.filter(([, { value }]) => value !== null));
  return { metrics, unavailable: { ...noLm, ...missing } };
}

function replacement(method: FittedMethod): Replacement {
  return (x) => reconstruct(method, x);
}
