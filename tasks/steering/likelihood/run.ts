/** @file Steering pairs of texts: the factor chosen on one half under a bound on utility, gain and cost on the other. */
import type { Concept, LanguageModel, TaskContext, TaskOutcome } from '../../../harness/contract.ts';
import { type PairLosses, preferenceOdds } from '../../../harness/kit/index.ts';
import type { Applied } from '../applied.ts';
import { searchFactors } from '../factor-search.ts';
import type { Kind } from '../interventions.ts';
import { steeredPositions } from '../positions.ts';
import { type SteeringVector, steeringBy } from '../steering-vectors.ts';
import { type AskedText, asked } from './asked.ts';
import { bestAllowed, boundedScore, known, nextUnderBound } from './bound.ts';
import { type Cost, steeringCosts } from './capability.ts';
import { added, type Combination, combinationCells, inTwos } from './combinations.ts';
import { steeredLosses } from './losses.ts';
import type { Goal } from './metrics.ts';
import type { OperatingPoint } from './operating-point.ts';
import type { LikelihoodOptions } from './options.ts';
import { pairChange, type Tried } from './pair-change.ts';
import { perturbed } from './perturbed.ts';
import { bothOf, type CleanPair, type LikelihoodShared, type SharedConcept } from './prepare.ts';
import { type ConceptResult, likelihoodCurves, likelihoodDetails, likelihoodRow } from './scores.ts';
import { type StoredText, tokensOf } from './texts.ts';
import { wholeLosses } from './whole-passes.ts';

type Context = Pick<
  TaskContext<LikelihoodOptions>,
  'options' | 'labelled' | 'test' | 'method' | 'site' | 'signal' | 'progress'
>;

/** A concept with what it is steered with, and how. */
interface Entry {
  kind: Kind | 'own' | 'none';
  shared: SharedConcept;
  concept: Concept;
  vector: SteeringVector;
}

interface Wanted {
  entry: Entry;
  factor: number;
}

/** One row for each way of steering: all concepts that have a vector and pairs. */
export async function steerByLikelihood(
  context: Context,
  subject: LanguageModel,
  shared: LikelihoodShared,
  vectors: readonly (SteeringVector | undefined)[],
  kinds: readonly Entry['kind'][],
  selectedBy: string,
  goal: Goal,
): Promise<TaskOutcome> {
  const { options, labelled } = context;
  const entries = kinds.flatMap((kind) =>
    shared.concepts.flatMap((each, c): Entry[] => {
      const vector = vectors[c];
      const paired = each.selection.length > 0 && each.reporting.length > 0;
      return vector && paired ? [{ kind, shared: each, concept: labelled!.set.concepts[each.place]!, vector }] : [];
    }),
  );
  const { results, combinations = [] } = context.method.ask
    ? { results: await readAsked(context, subject, entries) }
    : kinds.includes('none')
      ? { results: entries.map((entry) => unsteered(entry, shared.documents.reporting)) }
      : await steered(context, subject, shared, entries, goal);
  const ways = kinds.map((kind) => ({ kind, own: results.filter((result) => result.kind === kind) }));
  const documents = shared.documents.reporting;
  const point = { goal, least: options.leastGain, bound: options.bound };
  const missing = !vectors.some(Boolean)
    ? 'no concept has a direction'
    : entries.length === 0
      ? 'no concept has two held-out pairs of texts'
      : 'no factor has a known gain and cost in utility';
  return {
    rows: ways.map(({ kind, own }) => {
      const row = likelihoodRow(own, documents, point, missing);
      const pairs = kind === 'add' ? combinations : [];
      const none =
        kind === 'add' ? 'no two concepts have a factor above 0' : 'combinations are of vectors that are added';
      return {
        axes: { selection: selectedBy, intervention: kind },
        ...row,
        ...(own.length > 0 && { metrics: { ...row.metrics, ...combinationCells(pairs, point, none) } }),
      };
    }),
    details: {
      pairs: {
        source: shared.source,
        bound: options.bound,
        documents: documents.length,
        // Concepts of which no factor had a known gain and utility, in all ways.
        ...(results.length < entries.length && { missing: entries.length - results.length }),
      },
      ...Object.fromEntries(
        ways.map(({ kind, own }) => [
          `${selectedBy}/${kind}`,
          own.map((result) => likelihoodDetails(result, documents, point)),
        ]),
      ),
      ...(combinations.length > 0 && { combinations }),
    },
    curves: Object.assign(
      {},
      ...ways.map(({ kind, own }) => (kind === 'none' ? {} : likelihoodCurves(own, options.factors, kind, goal))),
    ),
  };
}

/** Steering by nothing changes nothing: it is not computed. */
function unsteered(
  { kind, concept, vector, shared: { gate, reporting } }: Entry,
  documents: readonly StoredText[],
): ConceptResult {
  const steered = reporting.map(({ clean }) => clean);
  const costs = documents.map((): Cost => ({ loss: 0, kl: 0 }));
  const fixed = { ...pairChange(reporting, steered), perplexity: 0, perturbedGain: 0 };
  return { kind, concept, vector, gate, trials: [], factor: 0, pairs: reporting, steered, costs, fixed };
}

/** With the concept asked for in the prompt: no factor is chosen, and documents, which have no prompt, are not read so. */
async function readAsked(
  { method, labelled, site, signal, progress }: Context,
  subject: LanguageModel,
  entries: readonly Entry[],
): Promise<ConceptResult[]> {
  const texts = entries.flatMap(({ concept, shared: { reporting } }) =>
    bothOf(reporting).map(({ text }): AskedText => ({ text, ask: (prompt) => method.ask!(concept, prompt) })),
  );
  const note = (done: number, total: number) => progress(done, total, 'texts asked for');
  const passes = { signal, progress: note };
  const losses = await wholeLosses({ subject, site: site.name }, asked(subject, labelled!, texts), passes);
  let at = 0;
  return entries.map((entry): ConceptResult => {
    const { costs: _, ...nothing } = unsteered(entry, []);
    const { reporting } = entry.shared;
    const steered = reporting.map(() => ({ positive: losses[at++]!, negative: losses[at++]! }));
    return { ...nothing, steered, fixed: pairChange(reporting, steered) };
  });
}

async function steered(
  context: Context,
  subject: LanguageModel,
  shared: LikelihoodShared,
  entries: readonly Entry[],
  goal: Goal,
): Promise<{ results: ConceptResult[]; combinations: Combination[] }> {
  const { options, labelled, test, method, site, signal, progress } = context;
  const steerable = { subject, site, method };
  const documents = options.positions === 'last' ? undefined : shared.documents;
  const steering = ({ entry: { kind, vector }, factor }: Wanted, { prompt }: Pick<StoredText, 'prompt'>): Applied =>
    steeringBy(vector, kind as Kind | 'own', goal === 'promote' ? factor : -factor, steeredPositions(options, prompt));
  const note = (done: number, total: number) => progress(done, total, 'steered texts');
  const passes = { signal, progress: note };

  const pairLosses = async (wanted: readonly (Wanted & { pairs: readonly CleanPair[] })[]): Promise<PairLosses[][]> => {
    const texts = wanted.flatMap((each) =>
      bothOf(each.pairs).map(({ text }) => ({ text, steering: steering(each, text) })),
    );
    const losses = await steeredLosses(steerable, labelled!.activations, texts, passes);
    let at = 0;
    return wanted.map(({ pairs }) => pairs.map(() => ({ positive: losses[at++]!, negative: losses[at++]! })));
  };
  const costsOf = async (wanted: readonly Wanted[], own: readonly StoredText[]): Promise<(Cost[] | undefined)[]> =>
    wanted.length === 0
      ? []
      : await steeringCosts(
          steerable,
          test,
          own,
          wanted.map((each) => steering(each, own[0]!)),
          passes,
        );

  const tryOut = async (wanted: { entry: number; factor: number }[]): Promise<Tried[]> => {
    const all = wanted.map(({ entry, factor }) => ({ entry: entries[entry]!, factor }));
    const losses = await pairLosses(all.map((each) => ({ ...each, pairs: each.entry.shared.selection })));
    const gated = all.filter(({ entry }) => entry.shared.gate === 'perplexity');
    const costs = documents ? await costsOf(gated, documents.selection) : [];
    return all.map((each, i): Tried => {
      const change = pairChange(each.entry.shared.selection, losses[i]!);
      const own = costs[gated.indexOf(each)];
      return { ...change, ...(own && { perplexity: perToken(own, documents!.selection) }) };
    });
  };
  const fixedPoints = async (wanted: readonly Wanted[]): Promise<OperatingPoint[]> => {
    const losses = await pairLosses(wanted.map((each) => ({ ...each, pairs: each.entry.shared.reporting })));
    const gated = wanted.filter(({ entry }) => entry.shared.gate === 'perplexity');
    const costs = documents ? await costsOf(gated, documents.reporting) : [];
    const all = wanted.flatMap((each) => bothOf(each.entry.shared.reporting).map(({ text }) => ({ text, each })));
    const moved = perturbed(subject, labelled!.activations, all, ({ each }, prompt) => steering(each, { prompt }));
    const inContext = await wholeLosses({ subject, site: site.name, method }, moved, passes);
    let at = 0;
    return wanted.map((each, i): OperatingPoint => {
      const { reporting, perturbed: before } = each.entry.shared;
      const after = reporting.map(() => ({ positive: inContext[at++]!, negative: inContext[at++]! }));
      const rises = after.map((pair, p) => preferenceOdds(pair) - preferenceOdds(before[p]!));
      const own = costs[gated.indexOf(each)];
      return {
        ...pairChange(reporting, losses[i]!),
        ...(own && { perplexity: perToken(own, documents!.reporting) }),
        perturbedGain: rises.reduce((sum, rise) => sum + rise, 0) / rises.length,
      };
    });
  };
  const readTogether = async <W extends Wanted>(
    twos: readonly [W, W][],
    alone: (wanted: W) => PairLosses[],
  ): Promise<Combination[]> => {
    const read = twos.flatMap((two) => two.map(({ entry }) => ({ two, entry })));
    const texts = read.flatMap(({ two, entry }) =>
      bothOf(entry.shared.reporting).map(({ text }) => ({
        text,
        steering: added(two.map((each) => steering(each, text))),
      })),
    );
    const losses = await steeredLosses(steerable, labelled!.activations, texts, passes);
    let at = 0;
    const gains = read.map(({ entry: { shared } }) => {
      const together = shared.reporting.map(() => ({ positive: losses[at++]!, negative: losses[at++]! }));
      return pairChange(shared.reporting, together).gain;
    });
    return twos.map(([a, b], i): Combination => {
      const own = (each: W) => pairChange(each.entry.shared.reporting, alone(each)).gain;
      return {
        concepts: [a.entry.concept.id, b.entry.concept.id],
        both: [gains[2 * i]!, gains[2 * i + 1]!],
        alone: [own(a), own(b)],
      };
    });
  };
  const score = ({ gain, utility, perplexity }: Tried, { shared: { gate } }: Entry): number =>
    boundedScore(
      goal === 'promote' ? gain : -gain,
      gate === 'perplexity' ? perplexity : utility === undefined ? undefined : -utility,
      options.bound,
    );
  const trials = await searchFactors(
    entries.length,
    options.factors,
    options.extend,
    async (wanted) => {
      const found = await tryOut(wanted);
      return found.map((result, i) => ({ result, score: score(result, entries[wanted[i]!.entry]!) }));
    },
    (found) => found.score,
    nextUnderBound,
  );
  // An entry of which no factor has a known gain and utility is missing. Where all break the bound it is not steered.
  const chosen = entries.flatMap((entry, i) =>
    trials[i]!.some(known) ? [{ entry, trials: trials[i]!, factor: bestAllowed(trials[i]!)?.factor ?? 0 }] : [],
  );
  const acting = chosen.filter(({ factor }) => factor > 0);
  const losses = await pairLosses(acting.map((each) => ({ ...each, pairs: each.entry.shared.reporting })));
  const costs = documents ? await costsOf(acting, documents.reporting) : undefined;
  const twos = inTwos(
    acting.filter(({ entry }) => entry.kind === 'add'),
    options.combinations,
  );
  const combinations = await readTogether(twos, (each) => losses[acting.indexOf(each)]!);
  const points = await fixedPoints(chosen.map(({ entry }) => ({ entry, factor: options.fixedFactor })));
  const results = chosen.map((each, c): ConceptResult => {
    const { concept, vector, shared: own } = each.entry;
    const at = acting.indexOf(each);
    const nothing = unsteered(each.entry, shared.documents.reporting);
    return {
      kind: each.entry.kind,
      concept,
      vector,
      gate: own.gate,
      trials: each.trials.map(({ result, ...trial }) => ({ ...trial, result: result.result })),
      factor: each.factor,
      pairs: own.reporting,
      steered: at < 0 ? nothing.steered : losses[at]!,
      costs: at < 0 ? nothing.costs : costs?.[at],
      fixed: points[c]!,
    };
  });
  return { results, combinations };
}

/** Mean rise of the loss a token. */
function perToken(costs: readonly Cost[], documents: readonly StoredText[]): number {
  const tokens = documents.map(tokensOf);
  const all = tokens.reduce((sum, count) => sum + count, 0);
  return costs.reduce((sum, { loss }, d) => sum + loss * tokens[d]!, 0) / all;
}
