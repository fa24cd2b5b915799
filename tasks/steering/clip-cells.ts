/** @file Steered images by concept: cells, samples, details and curves. */
import type { Concept, Item, MetricValue, ResultRow, RowSamples, TaskOutcome } from '../../harness/contract.ts';
import { allUnavailable, emptyCell, measuredCell } from '../../harness/kit/index.ts';
import { type Picture, pictureDetails } from './clip-pictures.ts';
import type { ClipScores } from './clip-scores.ts';
import { LABELS, type Target } from './clip-targets.ts';
import { atEnd, type Trial } from './factor-search.ts';
import { blocksOf, CLIP_METRICS, COMMON_METRICS, conceptMean, type SharedItems } from './metrics.ts';
import type { SteeringVector } from './steering-vectors.ts';

/** All about one concept. */
export interface SteeredConcept {
  concept: Concept;
  target: Target;
  /** Of the answers to its question. */
  labels: string[];
  vector: SteeringVector;
  /** The factors tried, rising, with the scores on the selection half. */
  trials: (Trial & { result: ClipScores & { pictures: Picture[] } })[];
  /** The factor chosen by them. */
  factor: number;
  /** Numbers of the images of the reporting half; concepts share some. */
  images: number[];
  scores: ClipScores;
  /** What each of these images adds to the error of each score. */
  influences: Record<keyof ClipScores, number[]>;
}

const NAMES = ['overall', 'flip_rate', 'preservation', 'target_lift', 'off_target', 'selectivity', 'drift'] as const;

/** What each image adds to the error of each concept's score. */
function sharedImages(all: readonly SteeredConcept[], name: keyof ClipScores): SharedItems {
  const influences = all.map((each) => ({ items: each.images, values: each.influences[name] }));
  return { influences, items: 1 + Math.max(-1, ...all.flatMap(({ images }) => images)) };
}

/** What a row says of the concepts that have a direction and images. */
export function clipMeasured(all: readonly SteeredConcept[]): Pick<ResultRow, 'metrics' | 'unavailable' | 'samples'> {
  if (all.length > 0) return { metrics: clipCells(all), samples: clipSamples(all) };
  const reason = 'no concept has a direction and images of other classes';
  return { metrics: {}, unavailable: allUnavailable({ ...COMMON_METRICS, ...CLIP_METRICS }, reason) };
}

/** Means over concepts on the reporting half, with intervals over concepts and, of scores, over images. */
function clipCells(all: readonly SteeredConcept[]): Record<string, MetricValue> {
  const cell = (name: string, values: number[], shared?: SharedItems): MetricValue =>
    measuredCell(conceptMean(name, values, shared), 'no concept');
  const scoreCell = (name: keyof ClipScores): MetricValue => {
    const known = all.filter(({ scores }) => scores[name] !== null);
    if (known.length === 0) return emptyCell('no other logit changed');
    return cell(
      name,
      known.map(({ scores }) => scores[name]!),
      sharedImages(known, name),
    );
  };
  return {
    ...Object.fromEntries(NAMES.map((name) => [name, scoreCell(name)])),
    factor: cell(
      'factor',
      all.map(({ factor }) => factor),
    ),
    at_end: cell(
      'at_end',
      all.map(({ trials }) => (atEnd(trials) ? 1 : 0)),
    ),
  };
}

/** The overall score by concept. */
const clipSamples = (all: readonly SteeredConcept[]): RowSamples => ({
  unit: 'concept',
  ids: all.map(({ concept }) => concept.id),
  values: all.map(({ scores }) => scores.overall),
  sharedBy: blocksOf(sharedImages(all, 'overall')),
});

/** What a result says of one concept. @param pool The images that pictures are of. */
export function clipDetails(
  { concept, target, labels, vector, factor, scores, trials }: SteeredConcept,
  pool: readonly Item[],
) {
  const pictures = pictureDetails(trials, pool, labels);
  return {
    id: concept.id,
    label: concept.label,
    question: target.question ?? LABELS,
    answer: target.answer,
    ...vector.details,
    scale: vector.scale,
    factor,
    ...scores,
    tried: trials.map((trial) => ({ factor: trial.factor, overall: trial.score })),
    ...(pictures.length > 0 ? { pictures } : {}),
  };
}

/** Mean over concepts of each score at each factor of the grid, on the selection half. */
export function clipCurves(
  all: readonly SteeredConcept[],
  factors: readonly number[],
  intervention: string,
): NonNullable<TaskOutcome['curves']> {
  if (all.length === 0) return {};
  const names = ['overall', 'flip_rate', 'preservation', 'drift'] as const;
  return Object.fromEntries(
    names.map((name) => {
      const y = factors.map((factor) => {
        const values = all.map(({ trials }) => trials.find((each) => each.factor === factor)!.result[name]);
        return values.reduce((sum, value) => sum + value / values.length, 0);
      });
      return [`score-by-factor/${intervention}/${name}`, { x: [...factors], y }];
    }),
  );
}
