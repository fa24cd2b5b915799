/** @file Steering pairs of texts: the factor chosen on one half under a bound on utility, gain and cost on the other. */
import type { Concept, LanguageModel, TaskContext, TaskOutcome } from '../../../harness/contract.ts';
import type { PairLosses } from '../../../harness/kit/index.ts';
import type { Applied } from '../applied.ts';
import { searchFactors } from '../factor-search.ts';
import type { Kind } from '../interventions.ts';
import { steeredPositions } from '../positions.ts';
import { type SteeringVector, steeringBy } from '../steering-vectors.ts';
import { type AskedText, askedLosses } from './asked.ts';
import { bestAllowed, boundedScore, known, nextUnderBound } from './bound.ts';
import { type Cost, steeringCosts } from './capability.ts';
import { steeredLosses } from './losses.ts';
import type { Goal } from './metrics.ts';
import type { LikelihoodOptions } from './options.ts';
import type { CleanPair, LikelihoodShared, SharedConcept } from './prepare.ts';
import {
  type ConceptResult,
  likelihoodCurves,
  likelihoodDetails,
  likelihoodRow,
  pairChange,
  type Tried,
} from './scores.ts';
import { type StoredText, tokensOf } from './texts.ts';

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
  const results = context.method.ask
    ? await asked(context, subject, entries)
    : kinds.includes('none')
      ? entries.map((entry) => unsteered(entry, shared.documents.reporting))
      : await steered(context, subject, shared, entries, goal);
  const ways = kinds.map((kind) => ({ kind, own: results.filter((result) => result.kind === kind) }));
  const documents = shared.documents.reporting;
  const missing = !vectors.some(Boolean)
    ? 'no concept has a direction'
    : entries.length === 0
      ? 'no concept has two held-out pairs of texts'
      : 'no factor has a known gain and cost in utility';
  return {
    rows: ways.map(({ kind, own }) => ({
      axes: { selection: selectedBy, intervention: kind },
      ...likelihoodRow(own, documents, goal, missing),
    })),
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
          own.map((result) => likelihoodDetails(result, documents, goal)),
        ]),
      ),
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
  return { kind, concept, vector, gate, trials: [], factor: 0, pairs: reporting, steered, costs };
}

/** With the concept asked for in the prompt: no factor is chosen, and documents, which have no prompt, are not read so. */
async function asked(
  { method, labelled, signal, progress }: Context,
  subject: LanguageModel,
  entries: readonly Entry[],
): Promise<ConceptResult[]> {
  const texts = entries.flatMap(({ concept, shared: { reporting } }) =>
    reporting
      .flatMap(({ positive, negative }) => [positive, negative])
      .map((text): AskedText => ({ text, ask: (prompt) => method.ask!(concept, prompt) })),
  );
  const note = (done: number, total: number) => progress(done, total, 'texts asked for');
  const losses = await askedLosses(subject, labelled!, texts, { signal, progress: note });
  let at = 0;
  return entries.map((entry): ConceptResult => {
    const { costs: _, ...nothing } = unsteered(entry, []);
    return {
      ...nothing,
      steered: entry.shared.reporting.map(() => ({ positive: losses[at++]!, negative: losses[at++]! })),
    };
  });
}

async function steered(
  context: Context,
  subject: LanguageModel,
  shared: LikelihoodShared,
  entries: readonly Entry[],
  goal: Goal,
): Promise<ConceptResult[]> {
  const { options, labelled, test, method, site, signal, progress } = context;
  const steerable = { subject, site, method };
  const documents = options.positions === 'last' ? undefined : shared.documents;
  const steering = ({ entry: { kind, vector }, factor }: Wanted, { prompt }: StoredText): Applied =>
    steeringBy(vector, kind as Kind | 'own', goal === 'promote' ? factor : -factor, steeredPositions(options, prompt));
  const note = (done: number, total: number) => progress(done, total, 'steered texts');
  const passes = { signal, progress: note };

  const pairLosses = async (wanted: readonly (Wanted & { pairs: readonly CleanPair[] })[]): Promise<PairLosses[][]> => {
    const texts = wanted.flatMap((each) =>
      each.pairs
        .flatMap(({ positive, negative }) => [positive, negative])
        .map((text) => ({
          text,
          steering: steering(each, text),
        })),
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
  return chosen.map((each): ConceptResult => {
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
    };
  });
}

/** Mean rise of the loss a token. */
function perToken(costs: readonly Cost[], documents: readonly StoredText[]): number {
  const tokens = documents.map(tokensOf);
  const all = tokens.reduce((sum, count) => sum + count, 0);
  return costs.reduce((sum, { loss }, d) => sum + loss * tokens[d]!, 0) / all;
}
