/** @file Scores of steered texts by concept: the choice of the factor, cells, details and curves. */
import type {
  Concept,
  MetricDefinition,
  MetricValue,
  ResultRow,
  RowSamples,
  SteeringPrompt,
  TaskOutcome,
} from '../../harness/contract.ts';
import { allUnavailable, crossedInterval, measuredCell, won } from '../../harness/kit/index.ts';
import { atEnd, type Trial } from './factor-search.ts';
import type { Cost } from './likelihood/capability.ts';
import { COST_METRICS, costCells } from './likelihood/cost-cells.ts';
import type { StoredText } from './likelihood/texts.ts';
import { blocksOf, COMMON_METRICS, conceptMean, LM_METRICS, type SharedItems } from './metrics.ts';
import type { Generation, Ratings } from './ratings.ts';
import type { SteeringVector } from './steering-vectors.ts';

/** All about one concept. */
export interface ConceptScores {
  concept: Concept;
  vector: SteeringVector;
  /** The factors tried of which any text was rated, rising, with the ratings on the selection half, by prompt. */
  trials: (Trial & { result: Ratings[] })[];
  /** The factor chosen by them. */
  factor: number;
  /** On the reporting half, by prompt: with that factor, and without steering. */
  prompts: SteeringPrompt[];
  generations: Generation[];
  ratings: Ratings[];
  unsteered: Ratings[];
  /** By held-out document, with that factor; absent where they cannot be steered so. */
  costs?: Cost[];
}

const NAMES = ['overall', 'concept', 'instruct', 'fluency'] as const;
/** Texts that a result shows for each concept. */
const EXAMPLES = 2;

/** A concept's mean of one rating, with the number (the same wherever it comes) and value of each prompt that has it. */
interface Rated {
  id: string;
  value: number;
  prompts: { p: number; value: number }[];
}

/** Of the concepts that have the rating on any prompt. */
function rated(scores: readonly ConceptScores[], name: (typeof NAMES)[number]): Rated[] {
  const numbers = new Map<string, number>();
  for (const { id } of scores.flatMap(({ prompts }) => prompts)) if (!numbers.has(id)) numbers.set(id, numbers.size);
  return scores.flatMap(({ concept, ratings, prompts: own }) => {
    const value = mean(ratings, name);
    const prompts = ratings.flatMap((rating, p) =>
      rating[name] === null ? [] : [{ p: numbers.get(own[p]!.id)!, value: rating[name] }],
    );
    return value === null ? [] : [{ id: concept.id, value, prompts }];
  });
}

/** What each prompt adds to the error of each concept's score: concepts may be steered from the same prompts. */
function sharedPrompts(all: readonly Rated[]): SharedItems {
  const influences = all.map(({ value, prompts }) => ({
    items: prompts.map(({ p }) => p),
    values: prompts.map((each) => (each.value - value) / prompts.length),
  }));
  return { influences, items: Math.max(0, ...influences.flatMap(({ items }) => items.map((p) => p + 1))) };
}

/**
 * What a row says of the concepts that have a direction.
 *
 * @param missing Why a metric has no value though there are directions: what the judge left out.
 */
export function lmMeasured(
  scores: readonly ConceptScores[],
  missing: string,
  documents: readonly StoredText[],
): Pick<ResultRow, 'metrics' | 'unavailable' | 'samples'> {
  const costs = scores.flatMap((each) => (each.costs ? [each.costs] : []));
  const cells = lmCells(scores);
  const metrics = { ...cells, ...(costs.length > 0 ? costCells(costs, documents) : {}) };
  const unavailable = {
    ...allUnavailable({ ...COMMON_METRICS, ...LM_METRICS }, missing),
    ...allUnavailable(COST_METRICS, 'no held-out text can be read so'),
  };
  return { metrics, unavailable, ...(cells['overall'] ? { samples: lmSamples(scores) } : {}) };
}

/** Means over concepts on the reporting half, with intervals over concepts and, of scores, over prompts. */
function lmCells(scores: readonly ConceptScores[]): Record<string, MetricValue> {
  const cell = (name: string, values: number[], shared?: SharedItems): [string, MetricValue][] =>
    values.length === 0 ? [] : [[name, measuredCell(conceptMean(name, values, shared), 'no concept')]];
  return Object.fromEntries([
    ...NAMES.flatMap((name) => {
      const all = rated(scores, name);
      return cell(
        name,
        all.map(({ value }) => value),
        sharedPrompts(all),
      );
    }),
    ...cell(
      'factor',
      scores.map(({ factor }) => factor),
    ),
    ...cell(
      'at_end',
      scores.map(({ trials }) => (atEnd(trials) ? 1 : 0)),
    ),
    ...cell(
      'win_rate',
      scores.flatMap((each) => wonAgainstUnsteered(each) ?? []),
    ),
  ]);
}

/** The overall score by concept. */
function lmSamples(scores: readonly ConceptScores[]): RowSamples {
  const all = rated(scores, 'overall');
  return {
    unit: 'concept',
    ids: all.map(({ id }) => id),
    values: all.map(({ value }) => value),
    sharedBy: blocksOf(sharedPrompts(all)),
  };
}

/** 1, 0 or, for a tie, a half, over the prompts that are rated both ways. */
function wonAgainstUnsteered({ ratings, unsteered }: ConceptScores): number | undefined {
  const both = (_: Ratings, p: number) => ratings[p]!.overall !== null && unsteered[p]!.overall !== null;
  const [own, other] = [mean(ratings.filter(both), 'overall'), mean(unsteered.filter(both), 'overall')];
  if (own === null || other === null) return undefined;
  return won(own, other);
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
    ...(ratings.every(({ overall }) => overall !== null)
      ? {}
      : { rated: rated([scores], 'overall')[0]?.prompts.length ?? 0 }),
    examples: generations.slice(0, EXAMPLES).map(({ text }, p) => ({
      prompt_id: prompts[p]!.id,
      prompt: prompts[p]!.text,
      text,
      ...ratings[p]!,
    })),
  };
}

/** Mean over concepts of each score at each factor of the grid, on the selection half; `lo` and `hi` over concepts. */
export function lmCurves(
  scores: readonly ConceptScores[],
  factors: readonly number[],
  intervention: string,
): NonNullable<TaskOutcome['curves']> {
  if (scores.length === 0) return {};
  const curve = (of: (ratings: readonly Ratings[]) => number | null, range: MetricDefinition['range']) => {
    const points = factors.flatMap((factor) => {
      const values = scores.flatMap(({ trials }) => {
        const found = trials.find((each) => each.factor === factor);
        return (found && of(found.result)) ?? [];
      });
      const point = crossedInterval(values, [], 0, range);
      return point ? [{ factor, ...point }] : [];
    });
    return {
      x: points.map(({ factor }) => factor),
      y: points.map(({ value }) => value),
      lo: points.map(({ value, ci }) => ci?.[0] ?? value),
      hi: points.map(({ value, ci }) => ci?.[1] ?? value),
    };
  };
  return Object.fromEntries([
    ...NAMES.map((name) => [
      `score-by-factor/${intervention}/${name}`,
      curve((ratings) => mean(ratings, name), [0, CLEARLY]),
    ]),
    [`shown-by-factor/${intervention}`, curve(shownClearly, [0, 1])],
  ]);
}

/** The rating of a concept that is shown clearly: the most. */
const CLEARLY = 2;

/** Share of the texts with a rating of the concept whose rating is the most; null where none has one. */
function shownClearly(ratings: readonly Ratings[]): number | null {
  const known = ratings.flatMap(({ concept }) => concept ?? []);
  return known.length === 0 ? null : known.filter((rating) => rating >= CLEARLY).length / known.length;
}

/** Mean of a rating over the prompts that have it; null where none has. */
export function mean(ratings: readonly Ratings[], name: (typeof NAMES)[number]): number | null {
  const values = ratings.flatMap((rating) => rating[name] ?? []);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
