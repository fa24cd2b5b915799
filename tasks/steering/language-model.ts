/** @file Steering a language model: generations under every factor, judged, the factor chosen on half of the prompts. */
import {
  bootstrapMean,
  type Concept,
  createRng,
  emptyCell,
  type LanguageModel,
  type MetricValue,
  measuredCell,
  type PrepareContext,
  type Prepared,
  type SteeringPrompt,
  type TaskContext,
  type TaskOutcome,
} from '../../harness/contract.ts';
import type { FluencyScale } from '../judges/fluency.ts';
import { type Generation, programmaticJudge, type Ratings } from '../judges/programmatic.ts';
import { fluencyScale } from './calibration.ts';
import { bestPlace, chooseConcepts, halves, meanAt } from './concept-choice.ts';
import { type GenerationRow, generateAll } from './generations.ts';
import type { Kind } from './interventions.ts';
import type { SteeringOptions } from './options.ts';
import type { SteeringVector } from './steering-vectors.ts';
import { promptIds } from './texts.ts';

/** What all methods share. */
interface Shared {
  /** Places of the concepts in the concept set. */
  concepts: number[];
  prompts: SteeringPrompt[];
  scale: FluencyScale;
  judge: string;
  /** Generations without steering, concept by concept: the same random streams as the steered ones. */
  unsteered: Generation[];
}

/** Generations of one concept by factor, then prompt, with their ratings. */
interface Scored {
  concept: Concept;
  vector: SteeringVector;
  generations: Generation[][];
  ratings: Ratings[][];
}

const NAMES = ['overall', 'concept', 'instruct', 'fluency'] as const;

/** Chooses concepts and prompts, calibrates fluency, and generates without steering. */
export async function prepareLm(context: PrepareContext<SteeringOptions>, subject: LanguageModel): Promise<Prepared> {
  const { options, dataset, labelled, testItems, seed, signal, progress, site } = context;
  const concepts = chooseConcepts(labelled!.set.concepts, options.concepts);
  const prompts = await dataset.prompts!(options.prompts);
  const { maxNewTokens, temperature } = options;
  const scale = await fluencyScale(subject, testItems, { texts: options.calibration, maxNewTokens, signal });
  const rows = concepts.flatMap((_, c) =>
    prompts.map(({ text }, p): GenerationRow => ({ prompt: promptIds(subject, text), stream: c * prompts.length + p })),
  );
  const note = (done: number, total: number) => progress(done, total, 'unsteered texts');
  const passes = { maxNewTokens, temperature, seed, signal, progress: note };
  const unsteered = await generateAll(subject, site, rows, 'add', undefined, passes);
  const shared: Shared = { concepts, prompts, scale, judge: dataset.judge!.description, unsteered };
  return { json: shared as unknown as Record<string, unknown>, arrays: {} };
}

/** Adds one row to the outcome: all concepts that have a vector, steered in one way. */
export async function steerLm(
  context: TaskContext<SteeringOptions>,
  subject: LanguageModel,
  vectors: readonly (SteeringVector | undefined)[],
  kind: Kind | 'none',
  axes: { selection: string; intervention: string },
  outcome: TaskOutcome,
): Promise<void> {
  const { options, dataset, labelled, prepared } = context;
  const shared = prepared.json as unknown as Shared;
  const judge = programmaticJudge(dataset.judge!, shared.scale);
  const steered = shared.concepts.flatMap((place, c) => {
    const vector = vectors[c];
    return vector ? [{ c, vector, concept: labelled!.set.concepts[place]! }] : [];
  });
  const factors = kind === 'none' ? [0] : options.factors;
  const unsteered = (c: number) => shared.unsteered.slice(c * shared.prompts.length, (c + 1) * shared.prompts.length);
  const generated =
    kind === 'none' ? steered.map(({ c }) => [unsteered(c)]) : await generate(context, subject, shared, steered, kind);
  const rate = (concept: Concept, texts: Generation[]): Ratings[] =>
    texts.map((text, p) => judge(text, concept, shared.prompts[p]!));
  const scored = steered.map(({ concept, vector }, i): Scored => {
    const generations = generated[i]!;
    return { concept, vector, generations, ratings: generations.map((texts) => rate(concept, texts)) };
  });
  const baseline = steered.map(({ c, concept }) => rate(concept, unsteered(c)));
  const { cells, details } = reported(scored, baseline, factors, shared.prompts);
  outcome.rows.push({ axes, metrics: cells });
  outcome.details!['judge'] = { description: shared.judge, fluency: shared.scale };
  outcome.details![`${axes.selection}/${axes.intervention}`] = details;
  if (kind !== 'none') Object.assign(outcome.curves!, curves(scored, factors, axes.intervention));
}

/** Generations by steered concept, factor, prompt. */
async function generate(
  context: TaskContext<SteeringOptions>,
  subject: LanguageModel,
  shared: Shared,
  steered: { c: number; vector: SteeringVector }[],
  kind: Kind,
): Promise<Generation[][][]> {
  const { options, method, site, seed, signal, progress } = context;
  const { factors, maxNewTokens, temperature } = options;
  const prompts = shared.prompts.map(({ text }) => promptIds(subject, text));
  const rows = steered.flatMap(({ c, vector: { vector, scale, latent } }) =>
    factors.flatMap((factor) =>
      prompts.map((prompt, p): GenerationRow => {
        return { prompt, stream: c * prompts.length + p, steering: { vector, strength: factor * scale, latent } };
      }),
    ),
  );
  const note = (done: number, total: number) => progress(done, total, `${kind}: texts`);
  const passes = { maxNewTokens, temperature, seed, signal, progress: note };
  const all = await generateAll(subject, site, rows, kind, method, passes);
  const of = (concept: number, factor: number) => (concept * factors.length + factor) * prompts.length;
  return steered.map((_, i) => factors.map((_, f) => all.slice(of(i, f), of(i, f) + prompts.length)));
}

/** The numbers of the reporting half at each concept's chosen factor. */
function reported(
  scored: readonly Scored[],
  baseline: readonly Ratings[][],
  factors: readonly number[],
  prompts: readonly SteeringPrompt[],
): { cells: Record<string, MetricValue>; details: Record<string, unknown>[] } {
  const { selection, reporting } = halves(prompts.length);
  const values: Record<string, number[]> = {};
  const details = scored.map(({ concept, vector, generations, ratings }, i) => {
    const overall = ratings.map((row) => row.map((rating) => rating.overall));
    const f = bestPlace(overall.map((row) => meanAt(row, selection)));
    const numbers: Record<string, number> = { factor: factors[f]! };
    for (const name of NAMES) numbers[name] = meanOf(ratings[f]!, name, reporting);
    const without = meanOf(baseline[i]!, 'overall', reporting);
    numbers['win_rate'] = numbers['overall']! > without ? 1 : numbers['overall'] === without ? 0.5 : 0;
    for (const [name, value] of Object.entries(numbers)) values[name] = [...(values[name] ?? []), value];
    const { win_rate: _, ...said } = numbers;
    return {
      id: concept.id,
      label: concept.label,
      ...vector.details,
      scale: vector.scale,
      ...said,
      unsteered_overall: without,
      nll: meanAt(
        generations[f]!.map(({ nll }) => nll),
        reporting,
      ),
      by_factor: overall.map((row) => meanAt(row, [...selection, ...reporting])),
      examples: reporting.slice(0, 2).map((p) => {
        return { prompt: prompts[p]!.text, text: generations[f]![p]!.text, ...ratings[f]![p]! };
      }),
    };
  });
  const cells = Object.fromEntries(
    [...NAMES, 'factor', 'win_rate'].map((name) => {
      const estimate = values[name] ? bootstrapMean(values[name], createRng('steering/bootstrap')) : null;
      return [name, estimate ? measuredCell(estimate, 'no concept') : emptyCell('no concept has a direction')];
    }),
  );
  return { cells, details };
}

function meanOf(ratings: readonly Ratings[], name: (typeof NAMES)[number], places: readonly number[]): number {
  return meanAt(
    ratings.map((rating) => rating[name]),
    places,
  );
}

/** Mean over concepts of each score at each factor, over all prompts. */
function curves(scored: readonly Scored[], factors: readonly number[], intervention: string): TaskOutcome['curves'] {
  const all = scored[0]?.ratings[0]?.map((_, p) => p) ?? [];
  return Object.fromEntries(
    NAMES.map((name) => {
      const estimates = factors.map((_, f) =>
        bootstrapMean(
          scored.map(({ ratings }) => meanOf(ratings[f]!, name, all)),
          createRng('steering/bootstrap'),
        ),
      );
      const y = estimates.map((estimate) => estimate?.value ?? 0);
      const ends = estimates.map((estimate, f) => estimate?.ci ?? [y[f]!, y[f]!]);
      const [lo, hi] = [ends.map((end) => end[0]!), ends.map((end) => end[1]!)];
      return [`score-by-factor/${intervention}/${name}`, { x: [...factors], y, lo, hi }];
    }),
  );
}
