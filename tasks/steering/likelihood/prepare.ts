/** @file What all methods share: the concepts, their pairs and the held-out documents, read once by the clean subject. */
import { type LanguageModel, type PrepareContext, UserError } from '../../../harness/contract.ts';
import { type PairLosses, utilityOdds } from '../../../harness/kit/index.ts';
import { chooseConcepts, halves } from '../concept-choice.ts';
import type { Gate } from './bound.ts';
import { costDocuments } from './capability.ts';
import { steeredLosses } from './losses.ts';
import type { LikelihoodOptions } from './options.ts';
import { type PairHalves, type TextPair, textPairs } from './pairs.ts';
import { perturbed } from './perturbed.ts';
import type { StoredText } from './texts.ts';
import { wholeLosses } from './whole-passes.ts';

/** A pair with its losses under the clean subject. */
export interface CleanPair extends TextPair {
  clean: PairLosses;
}

export interface SharedConcept {
  /** In the concept set. */
  place: number;
  gate: Gate;
  selection: CleanPair[];
  reporting: CleanPair[];
  /** Losses of the reporting pairs in another context. */
  perturbed: PairLosses[];
}

export interface LikelihoodShared {
  /** Where the pairs come from. */
  source: string;
  concepts: SharedConcept[];
  /** Held-out documents, in the same halves. */
  documents: { selection: StoredText[]; reporting: StoredText[] };
}

type Context = PrepareContext<LikelihoodOptions>;

/** Chooses concepts, pairs and documents, and reads the pairs without steering. */
export async function prepareLikelihood(context: Context, subject: LanguageModel): Promise<LikelihoodShared> {
  const { options, dataset, test, testItems } = context;
  const labelled = context.labelled!;
  const places = chooseConcepts(labelled.set.concepts, options.concepts);
  const pairs = textPairs(subject, labelled, dataset.pairing, places, options);
  const found = costDocuments(subject, test, testItems, options);
  if (found.length < 2) {
    throw new UserError(
      `steering by likelihood: expected at least 2 held-out texts of some tokens, found ${found.length}; raise the number of test items`,
    );
  }
  const documents = halves(found.length);
  const ofPlaces = (half: readonly number[]) => half.map((i) => found[i]!);
  return {
    source:
      dataset.pairing?.description ??
      'held-out texts with the concept beside its held-out negatives, matched in length',
    concepts: await cleanConcepts(context, subject, places, pairs),
    documents: { selection: ofPlaces(documents.selection), reporting: ofPlaces(documents.reporting) },
  };
}

/** The two texts of each pair, one after the other. */
export const bothOf = (pairs: readonly TextPair[]): { text: StoredText }[] =>
  pairs.flatMap(({ positive, negative }) => [{ text: positive }, { text: negative }]);

async function cleanConcepts(
  { options, labelled, site, signal, progress }: Context,
  subject: LanguageModel,
  places: readonly number[],
  pairs: readonly PairHalves[],
): Promise<SharedConcept[]> {
  const all = pairs.flatMap(({ selection, reporting }) => [...selection, ...reporting]);
  const texts = bothOf(all);
  const note = (done: number, total: number) => progress(done, total, 'unsteered texts');
  const losses = await steeredLosses({ subject, site }, labelled!.activations, texts, { signal, progress: note });
  const reported = pairs.flatMap(({ reporting }) => reporting);
  const moved = perturbed(subject, labelled!.activations, bothOf(reported));
  const context = await wholeLosses({ subject, site: site.name }, moved, { signal, progress: note });
  let [at, place] = [0, 0];
  const clean = (pair: TextPair): CleanPair => {
    const read = { positive: losses[at]!, negative: losses[at + 1]! };
    at += 2;
    return { ...pair, clean: read };
  };
  return places.map((index, c) => {
    const own = pairs[c]!;
    const [selection, reporting] = [own.selection.map(clean), own.reporting.map(clean)];
    const defined = selection.every((pair) => utilityOdds(pair.clean) !== undefined);
    const inContext = reporting.map(() => ({ positive: context[place++]!, negative: context[place++]! }));
    const gate: Gate = options.gate === 'utility-odds' && defined ? 'utility-odds' : 'perplexity';
    return { place: index, gate, selection, reporting, perturbed: inContext };
  });
}
