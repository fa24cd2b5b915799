/** @file Scores of steered texts by concept: the choice of the factor, cells, details and curves. */
import type { Concept, MetricValue, RowSamples, TaskOutcome } from '../../harness/contract.ts';
import { emptyCell, measuredCell } from '../../harness/kit/index.ts';
import type { Generation, Ratings } from '../judges/programmatic.ts';
import { bestPlace } from './concept-choice.ts';
import { conceptMean } from './metrics.ts';
import type { SteeringVector } from './steering-vectors.ts';

/** All about one concept. */
export interface ConceptScores {
  concept: Concept;
  vector: SteeringVector;
  /** Ratings on the selection half, by factor and prompt. */
  byFactor: Ratings[][];
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

/** Place of the factor of best mean overall score; the first among equals (AxBench). */
export function chosenFactor(byFactor: readonly Ratings[][]): number {
  return bestPlace(byFactor.map((ratings) => mean(ratings, 'overall')));
}

/** Means over concepts on the reporting half, with intervals over concepts. */
export function lmCells(scores: readonly ConceptScores[]): Record<string, MetricValue> {
  const cell = (name: string, values: number[]): MetricValue =>
    values.length === 0
      ? emptyCell('no concept has a direction')
      : measuredCell(conceptMean(name, values), 'no concept');
  return {
    ...Object.fromEntries(
      NAMES.map((name) => [
        name,
        cell(
          name,
          scores.map(({ ratings }) => mean(ratings, name)),
        ),
      ]),
    ),
    factor: cell(
      'factor',
      scores.map(({ factor }) => factor),
    ),
    win_rate: cell(
      'win_rate',
      scores.map(({ ratings, unsteered }) => wins(mean(ratings, 'overall'), mean(unsteered, 'overall'))),
    ),
  };
}

/** The overall score by concept. */
export function lmSamples(scores: readonly ConceptScores[]): RowSamples {
  return {
    unit: 'concept',
    ids: scores.map(({ concept }) => concept.id),
    values: scores.map(({ ratings }) => mean(ratings, 'overall')),
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
    selection_overall: scores.byFactor.map((row) => mean(row, 'overall')),
    examples: generations.slice(0, EXAMPLES).map(({ text }, p) => ({ prompt: prompts[p]!, text, ...ratings[p]! })),
  };
}

/** Mean over concepts of each score at each factor, on the selection half; `lo` and `hi` over concepts. */
export function lmCurves(
  scores: readonly ConceptScores[],
  factors: readonly number[],
  intervention: string,
): NonNullable<TaskOutcome['curves']> {
  if (scores.length === 0) return {};
  return Object.fromEntries(
    NAMES.map((name) => {
      const points = factors.map((_, f) => {
        const values = scores.map(({ byFactor }) => mean(byFactor[f]!, name));
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

function mean(ratings: readonly Ratings[], name: (typeof NAMES)[number]): number {
  return ratings.reduce((sum, rating) => sum + rating[name], 0) / ratings.length;
}
