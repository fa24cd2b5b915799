/** @file Texts after a prompt in which the subject is asked for the concept. */
import type { LabelledActivations, LanguageModel, SteeringPrompt } from '../../../harness/contract.ts';
import { promptIds } from '../texts.ts';
import { type StoredText, textStore } from './texts.ts';
import type { WholeText } from './whole-passes.ts';

/** A text, and how the subject is asked for its concept. */
export interface AskedText {
  text: StoredText;
  ask: (prompt: SteeringPrompt) => string;
}

/**
 * The same tokens are scored as without asking: the request stands in or before the prompt that a text has, else before the
 * text.
 */
export function asked(
  subject: LanguageModel,
  { set, activations }: Pick<LabelledActivations, 'set' | 'activations'>,
  texts: readonly AskedText[],
): WholeText[] {
  const store = textStore(activations);
  return texts.map(({ text, ask }): WholeText => {
    const { id, text: whole = '', responseStart = 0 } = set.items[text.item]!;
    const { prompt, ids } = store.continued(text);
    // Of a text without a prompt what comes before the first scored token is its own, but for the token that begins a text.
    const own = prompt.slice(text.prompt).filter((token) => !subject.tokenizer.specialIds.has(token));
    return {
      text: { prompt: [...promptIds(subject, ask({ id, text: whole.slice(0, responseStart) })), ...own], ids },
    };
  });
}
