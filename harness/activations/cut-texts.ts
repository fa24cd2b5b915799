/** @file Texts that a subject's context cuts: how many, and how much of each is seen. */
import type { Subject } from '../contract.ts';

/**
 * What of a text a subject sees, in characters from its beginning; undefined where it sees all of it.
 *
 * @param maxLength Tokens, special ones included; default: the subject's own limit. A CLIP has only its own.
 */
export function seenCharacters(subject: Subject, text: string, maxLength?: number): number | undefined {
  const { ids, length } =
    subject.type === 'clip'
      ? subject.tokenize([text])
      : subject.tokenize([text], maxLength === undefined ? {} : { maxLength });
  const whole = subject.tokenizer.encode(text);
  if (whole.ids.length <= length) return undefined;
  // Special tokens may close a cut text: what is seen ends where its tokens and those of the whole text part.
  const shared = whole.ids.findIndex((id, place) => id !== ids[place]);
  return Math.max(0, ...whole.offsets.slice(0, shared).map(([, end]) => end));
}
