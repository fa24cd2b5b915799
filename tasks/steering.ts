/** @file Steering: does adding a method's direction make the subject show the concept, and keep the rest? */
import {
  type Clip,
  defineTask,
  type LanguageModel,
  type MetricDefinition,
  type ResultRow,
  type Subject,
  type TaskOutcome,
} from '../harness/contract.ts';
import { emptyCell } from '../harness/kit/index.ts';
import { prepareClip, steerClip } from './steering/clip.ts';
import type { Kind } from './steering/interventions.ts';
import { prepareLm, steerLm } from './steering/language-model.ts';
import { CLIP_METRICS, COMMON_METRICS, LM_METRICS } from './steering/metrics.ts';
import { STEERING_OPTIONS, type SteeringOptions } from './steering/options.ts';
import { steeringVectors } from './steering/steering-vectors.ts';

/**
 * AxBench's steering (arXiv:2501.17148 §3.2) with an embedded judge, and its counterpart for CLIP's zero-shot answers.
 * The strength is factor · scale, where the scale is the method's largest score on the concept's training items (of the
 * random directions, the difference of means': a null of the same length); the
 * factor of each concept is chosen on half of the prompts (or images) and reported on the other half: from a grid, and from
 * beyond it where the best lies at its end. Every method meets the same prompts and the same random numbers, and all concepts
 * share them: intervals and comparisons are for other concepts and for other prompts or images of the same kind.
 */
export default defineTask<SteeringOptions>({
  id: 'steering',
  title: 'Steering (AxBench)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 5,
  options: STEERING_OPTIONS,
  metrics: { ...COMMON_METRICS, ...LM_METRICS, ...CLIP_METRICS },
  axes: {
    selection: "detector: the method's own direction; auroc: the latent of best AUROC on training items",
    intervention:
      'add: factor · scale · direction added at every position; clamp: the latent set to factor · scale; none: no steering',
  },
  shows: {
    columns: ['concept', 'instruct', 'fluency', 'target_lift', 'flip_rate', 'off_target', 'drift', 'factor', 'at_end'],
    ranked: { intervention: ['add', 'none'] },
    curves: {
      'score-by-factor': {
        title: 'Steering score against factor',
        caption: 'Overall score (0 to 2) at each steering factor, mean over concepts.',
        x: 'factor',
        y: 'overall score',
        only: 'overall',
      },
    },
  },
  seeded: false,
  controls: ['random', 'unsteered'],
  unavailable({ subject, site, dataset, labelled }) {
    if (!subject) return 'needs the subject: activations were imported';
    if (!labelled) return 'the dataset has no labelled concepts';
    if (subject.type === 'clip') {
      return site.name.startsWith('vision.') ? undefined : 'images are steered at sites of the vision tower only';
    }
    return dataset.prompts && dataset.judge ? undefined : 'the dataset has no prompts to steer from, or no judge';
  },
  async prepare(context) {
    const subject = context.subject!;
    return subject.type === 'lm' ? prepareLm(context, subject) : prepareClip(context, subject);
  },
  async run(context) {
    const { method, labelled, prepared, options, subject } = context;
    const concepts = (prepared.json as { concepts: number[] }).concepts;
    const found = await steeringVectors(method, labelled!, concepts, context);
    const outcome: TaskOutcome = { rows: [], details: {}, curves: {} };
    if (!found) return { rows: [emptyRow(`'${method.id}' has no directions`)] };
    const { selection, vectors } = found;
    const idle = vectors.every((entry) => !entry || entry.vector.every((value) => value === 0));
    const clampable = vectors.some((entry) => entry?.latent !== undefined);
    const kinds: (Kind | 'none')[] = idle
      ? ['none']
      : options.interventions.filter((kind) => kind === 'add' || clampable);
    if (subject!.type === 'lm') await steerLm(context, subject as LanguageModel, vectors, kinds, selection, outcome);
    else {
      for (const kind of kinds) {
        await steerClip(context, subject as Clip, vectors, kind, { selection, intervention: kind }, outcome);
      }
    }
    if (kinds.length === 0) outcome.rows.push(emptyRow(`'${method.id}' has no latents to clamp`));
    return { ...outcome, rows: outcome.rows.map((row) => completed(row, subject!)) };
  },
});

/** The row with empty cells for the metrics of the other kind of subject. */
function completed({ metrics, ...row }: ResultRow, { type }: Subject): ResultRow {
  const other =
    type === 'lm' ? emptyCells(CLIP_METRICS, 'needs a CLIP') : emptyCells(LM_METRICS, 'needs a language model');
  return { ...row, metrics: { ...other, ...metrics } };
}

function emptyRow(reason: string): ResultRow {
  const metrics = emptyCells({ ...COMMON_METRICS, ...LM_METRICS, ...CLIP_METRICS }, reason);
  return { axes: { selection: 'detector', intervention: 'none' }, metrics };
}

function emptyCells(metrics: Record<string, MetricDefinition>, reason: string): ResultRow['metrics'] {
  return Object.fromEntries(Object.keys(metrics).map((name) => [name, emptyCell(reason)]));
}
