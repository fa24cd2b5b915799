/** @file Stored texts in another context: a sentence that says nothing of the concept put before them. */
import type { ActivationSet, LanguageModel } from '../../../harness/contract.ts';
import type { Applied } from '../applied.ts';
import type { Continued } from '../continuation-losses.ts';
import { type StoredText, textStore } from './texts.ts';
import type { WholeText } from './whole-passes.ts';

/** A mild perturbation, as a user or a system prompt might bring one. */
const SENTENCE = 'Read what follows with care, then go on.\n\n';

/**
 * The texts with the sentence before them, behind what the tokenizer itself begins a text with.
 *
 * @param steering What each is read under, for its prompt's new length (0 where it has none); nothing for the clean subject.
 */
export function perturbed<T extends { text: StoredText }>(
  { tokenizer }: Pick<LanguageModel, 'tokenizer'>,
  set: ActivationSet,
  texts: readonly T[],
  steering?: (text: T, prompt: number) => Applied,
): WholeText[] {
  const store = textStore(set);
  const begin = tokenizer.encode('').ids.filter((id) => tokenizer.specialIds.has(id));
  const sentence = tokenizer.encode(SENTENCE).ids.filter((id) => !tokenizer.specialIds.has(id));
  return texts.map((each): WholeText => {
    const { prompt, ids } = store.continued(each.text);
    const own = begin.length > 0 && begin.every((id, i) => prompt[i] === id) ? begin.length : 0;
    const text: Continued = { prompt: [...prompt.slice(0, own), ...sentence, ...prompt.slice(own)], ids };
    return { text, ...(steering && { steering: steering(each, each.text.prompt > 0 ? text.prompt.length : 0) }) };
  });
}
