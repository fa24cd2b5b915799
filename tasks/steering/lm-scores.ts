/** @file Scores of steered texts by concept: the choice of the factor, cells, details and curves. */
import type { Concept, MetricValue, ResultRow, RowSamples, TaskOutcome } from '../../harness/contract.ts';
import { allUnavailable, measuredCell } from '../../harness/kit/index.ts';
import type { Generation, Ratings } from '../judges/programmatic.ts';
import { atEnd, type Trial } from './factor-search.ts';
import { blocksOf, COMMON_METRICS, conceptMean, LM_METRICS, type SharedItems } from './metrics.ts';
import type { SteeringVector } from './steering-vectors.ts';

/** All about one concept. */
export interface ConceptScores {
  concept: Concept;
  vector: SteeringVector;
  /** The factors tried, rising, with the ratings on the selection half, by prompt. */
  trials: (Trial & { result: Ratings[] })[];
  /** The factor chosen by them. */
  factor: number;
  /** On the reporting half, by prompt: with that factor, and without steering. */
  prompts: string[];
  generations: Generation[];
  ratings: Ratings[];
  unsteered: Ratings[];
}

const NAMES = ['overall', 'concept', 'instruct', 'fluency'] as const;
/** Texts that a result shows for each concept. */
const EXAMPLES = 2;

/** What each prompt adds to the error of each concept's score: all concepts are steered from the same prompts. */
function sharedPrompts(scores: readonly ConceptScores[], name: (typeof NAMES)[number]): SharedItems {
  const influences = scores.map(({ ratings }) => {
    const value = mean(ratings, name);
    return {
      items: ratings.map((_, p) => p),
      values: ratings.map((rating) => (rating[name] - value) / ratings.length),
    };
  });
  return { influences, items: scores[0]?.ratings.length ?? 0 };
}

/** What a row says of the concepts that have a direction. */
export function lmMeasured(scores: readonly ConceptScores[]): Pick<ResultRow, 'metrics' | 'unavailable' | 'samples'> {
  if (scores.length > 0) return { metrics: lmCells(scores), samples: lmSamples(scores) };
  const unavailable = allUnavailable({ ...COMMON_METRICS, ...LM_METRICS }, 'no concept has a direction');
  return { metrics: {}, unavailable };
}

/** Means over concepts on the reporting half, with intervals over concepts and, of scores, over prompts. */
function lmCells(scores: readonly ConceptScores[]): Record<string, MetricValue> {
  const cell = (name: string, values: number[], shared?: SharedItems): MetricValue =>
    measuredCell(conceptMean(name, values, shared), 'no concept');
  return {
    ...Object.fromEntries(
      NAMES.map((name) => [
        name,
        cell(
          name,
          scores.map(({ ratings }) => mean(ratings, name)),
          sharedPrompts(scores, name),
        ),
      ]),
    ),
    factor: cell(
      'factor',
      scores.map(({ factor }) => factor),
    ),
    at_end: cell(
      'at_end',
      scores.map(({ trials }) => (atEnd(trials) ? 1 : 0)),
    ),
    win_rate: cell(
      'win_rate',
      scores.map(({ ratings, unsteered }) => wins(mean(ratings, 'overall'), mean(unsteered, 'overall'))),
    ),
  };
}

/** The overall score by concept. */
function lmSamples(scores: readonly ConceptScores[]): RowSamples {
  return {
    unit: 'concept',
    ids: scores.map(({ concept }) => concept.id),
    values: scores.map(({ ratings }) => mean(ratings, 'overall')),
    sharedBy: blocksOf(sharedPrompts(scores, 'overall')),
  };
}

function wins(own: number, other: number): number {
  return own > other ? 1 : own === other ? 0.5 : 0;
}

/** What a result says of one concept. */
export function lmDetails(scores: ConceptScores): Record<string, unknown> {
  const { concept, vector, factor, ratings, generations, prompts } = scores;
  return {
    id: concept.id,
    label: concept.label,
    ...vector.details,
    scale: vector.scale,
    factor,
    ...Object.fromEntries(NAMES.map((name) => [name, mean(ratings, name)])),
    unsteered_overall: mean(scores.unsteered, 'overall'),
    nll: generations.reduce((sum, { nll }) => sum + nll / generations.length, 0),
    tried: scores.trials.map((trial) => ({ factor: trial.factor, overall: trial.score })),
    examples: generations.slice(0, EXAMPLES).map(({ text }, p) => ({ prompt: prompts[p]!, text, ...ratings[p]! })),
  };
}

/** Mean over concepts of each score at each factor of the grid, on the selection half; `lo` and `hi` over concepts. */
export function lmCurves(
  scores: readonly ConceptScores[],
  factors: readonly number[],
  intervention: string,
): NonNullable<TaskOutcome['curves']> {
  if (scores.length === 0) return {};
  return Object.fromEntries(
    NAMES.map((name) => {
      const points = factors.map((factor) => {
        const values = scores.map(({ trials }) => mean(trials.find((each) => each.factor === factor)!.result, name));
        return conceptMean(name, values)!;
      });
      const curve = {
        x: [...factors],
        y: points.map(({ value }) => value),
        lo: points.map(({ value, ci }) => ci?.[0] ?? value),
        hi: points.map(({ value, ci }) => ci?.[1] ?? value),
      };
      return [`score-by-factor/${intervention}/${name}`, curve];
    }),
  );
}

/** Mean of a rating over prompts. */
export function mean(ratings: readonly Ratings[], name: (typeof NAMES)[number]): number {
  return ratings.reduce((sum, rating) => sum + rating[name], 0) / ratings.length;
}
