/** @file Losses of texts after a prompt in which the subject is asked for the concept. */
import type { LabelledActivations, LanguageModel, SteeringPrompt } from '../../../harness/contract.ts';
import { type Continued, continuationLosses, LOGITS, meanOf } from '../continuation-losses.ts';
import { promptIds } from '../texts.ts';
import type { LossOptions } from './losses.ts';
import { type StoredText, textStore } from './texts.ts';

/** A text, and how the subject is asked for its concept. */
export interface AskedText {
  text: StoredText;
  ask: (prompt: SteeringPrompt) => string;
}

/** Positions of a batch: bounds the memory of a pass from the first block on. */
const POSITIONS = 2 ** 13;

/**
 * Mean −ln p of the scored tokens of each text, the same ones as without asking: the request stands in or before the prompt
 * that the text has, else before the text.
 */
export async function askedLosses(
  subject: LanguageModel,
  { set, activations }: Pick<LabelledActivations, 'set' | 'activations'>,
  texts: readonly AskedText[],
  { signal, progress }: LossOptions = {},
): Promise<Float64Array> {
  const store = textStore(activations);
  const continued = texts.map(({ text, ask }): Continued => {
    const { id, text: whole = '', responseStart = 0 } = set.items[text.item]!;
    const { prompt, ids } = store.continued(text);
    // Of a text without a prompt what comes before the first scored token is its own, but for the token that begins a text.
    const own = prompt.slice(text.prompt).filter((token) => !subject.tokenizer.specialIds.has(token));
    return { prompt: [...promptIds(subject, ask({ id, text: whole.slice(0, responseStart) })), ...own], ids };
  });
  const losses = new Float64Array(texts.length);
  const lengthOf = (i: number) => continued[i]!.prompt.length + continued[i]!.ids.length;
  const order = texts.map((_, i) => i).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  const { vocabSize, padId } = subject.tokenizer;
  for (let from = 0; from < order.length; ) {
    signal?.throwIfAborted();
    let to = from;
    let scored = 0;
    for (; to < order.length; to++) {
      scored += continued[order[to]!]!.ids.length;
      const fits = scored * vocabSize <= LOGITS && (to + 1 - from) * lengthOf(order[to]!) <= POSITIONS;
      if (to > from && !fits) break;
    }
    const batch = order.slice(from, to);
    const values = await continuationLosses(
      batch.map((i) => continued[i]!),
      padId,
      (tokens, places) => subject.forward(tokens, { places }).logits!,
    );
    batch.forEach((i, at) => {
      losses[i] = meanOf(values[at]!);
    });
    from = to;
    progress?.(from, order.length);
  }
  return losses;
}
