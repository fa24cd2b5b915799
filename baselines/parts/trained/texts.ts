/** @file The training texts of a concept, as a language model reads them: what is prompt, what is response. */
import {
  type FitContext,
  type LabelledActivations,
  type LanguageModel,
  type Mark,
  UserError,
} from '../../../harness/contract.ts';
import { requireLanguageModel } from '../language-model.ts';
import { requireLabels, trainExamples } from '../train-examples.ts';

/** One labelled training text. */
export interface TrainingText {
  /** Row of its first token in the labelled activations, and how many tokens are used. */
  start: number;
  length: number;
  /** How many of them are the prompt, at least 1: what follows is what is learned to be written. */
  prompt: number;
  positive: boolean;
}

/** What is trained through: a language model, and a site of it with the labelled texts' activations there. */
export interface Source {
  lm: LanguageModel;
  site: string;
  labelled: LabelledActivations;
}

/**
 * What a fit needs for gradients through the subject.
 *
 * @throws UserError where the subject is no language model, the site is a joint one, or nothing is labelled.
 */
export function requireSource(
  method: string,
  context: Pick<FitContext<unknown>, 'subject' | 'site' | 'labelled'>,
): Source {
  const { site } = context;
  const labelled = requireLabels(method, context.labelled);
  const lm = requireLanguageModel(method, context.subject, 'whose loss is what is trained on');
  const known = lm.sites.find(({ name }) => name === site);
  if (!known || known.parts) {
    throw new UserError(`${method}: expected one site of ${lm.id}, which the model reads on from; found '${site}'`);
  }
  return { lm, site, labelled };
}

/**
 * Training texts of concept number `concept`, cut at `maxLength` tokens. A text without a marked response is one from its
 * second token on. Held-out items are never among them.
 *
 * @throws UserError where the concept lacks positives or negatives, or the cut leaves none of a class with a response.
 */
export function trainingTexts(
  method: string,
  { lm, labelled }: Source,
  concept: number,
  maxLength: number,
): TrainingText[] {
  const { set, activations } = labelled;
  const { items, labels } = trainExamples(method, labelled, concept);
  const texts = [...items].map((item, i): TrainingText => {
    const [start, end] = [activations.bounds[item]!, activations.bounds[item + 1]!];
    const { text = '', responseStart, id } = set.items[item]!;
    const { ids, offsets } = lm.tokenizer.encode(text);
    const rows = end - start;
    if (rows > ids.length || activations.tokenIds.slice(start, end).some((token, p) => token !== ids[p])) {
      throw new UserError(
        `${method}: item '${id}': its activations are of other tokens than ${lm.id} reads in its text`,
      );
    }
    const found = responseStart === undefined ? 1 : responseToken(lm, ids, offsets, responseStart);
    return { start, length: Math.min(rows, maxLength), prompt: Math.max(1, found), positive: labels[i] === 1 };
  });
  const used = texts.filter(({ length, prompt }) => length > prompt);
  for (const positive of [true, false]) {
    if (used.some((text) => text.positive === positive)) continue;
    throw new UserError(
      `${method}: concept '${set.concepts[concept]!.id}': expected a ${positive ? 'positive' : 'negative'} training text ` +
        `with a response within ${maxLength} tokens (maxLength), found none; raise maxLength`,
    );
  }
  return used;
}

/**
 * The mark of a fit without some of its training texts.
 *
 * @param used The texts that were trained on, of all concepts together.
 * @param positives Whether only those with the concept are.
 */
export function leftOutMark(
  { labelled: { set, examples } }: Source,
  used: number,
  maxLength: number,
  { positives = false } = {},
): Mark[] {
  const labels = set.concepts.map((_, concept) => examples(concept, 'train').labels);
  const total = labels.reduce((sum, own) => sum + own.filter((label) => label === 1 || !positives).length, 0);
  const left = total - used;
  if (left === 0) return [];
  const message = `${left} of ${total} training texts left out: no token of their responses is among their first ${maxLength} (maxLength).`;
  return [{ code: 'texts-left-out', message }];
}

/** Place of the first token of the response; all tokens where none begins there. */
function responseToken(
  { tokenizer }: LanguageModel,
  ids: readonly number[],
  offsets: readonly [number, number][],
  start: number,
): number {
  const place = offsets.findIndex(([from], i) => from >= start && !tokenizer.specialIds.has(ids[i]!));
  return place < 0 ? ids.length : place;
}
