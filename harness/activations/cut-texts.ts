/** @file Texts that a subject's context cuts: how many, and how much of each is seen. */
import type { Subject, TokenBatch } from '../contract.ts';

/** Texts as the subject sees them. A CLIP has only its own limit. */
export function tokenizeTexts(subject: Subject, texts: string[], maxLength?: number): TokenBatch {
  if (subject.type === 'image-encoder') throw new Error(`internal: texts for ${subject.id}, which reads images`);
  if (subject.type === 'clip') return subject.tokenize(texts);
  return subject.tokenize(texts, maxLength === undefined ? {} : { maxLength });
}

/**
 * What of a text a subject sees, in characters from its beginning; undefined where it sees all of it.
 *
 * @param maxLength Tokens, special ones included; default: the subject's own limit. A CLIP has only its own.
 */
export function seenCharacters(subject: Subject, text: string, maxLength?: number): number | undefined {
  const { ids, length } = tokenizeTexts(subject, [text], maxLength);
  if (!('tokenizer' in subject)) return undefined;
  const whole = subject.tokenizer.encode(text);
  if (whole.ids.length <= length) return undefined;
  // Special tokens may close a cut text: what is seen ends where its tokens and those of the whole text part.
  const shared = whole.ids.findIndex((id, place) => id !== ids[place]);
  return Math.max(0, ...whole.offsets.slice(0, shared).map(([, end]) => end));
}

/** {@link seenCharacters} of those of many texts that are cut. */
export function cutTexts(subject: Subject, texts: string[], maxLength?: number): Map<string, number> {
  const { length, mask } = tokenizeTexts(subject, texts, maxLength);
  const cut = new Map<string, number>();
  for (const [i, text] of texts.entries()) {
    // Only the longest can have been cut.
    if (mask.subarray(i * length, (i + 1) * length).includes(0)) continue;
    const seen = seenCharacters(subject, text, maxLength);
    if (seen !== undefined) cut.set(text, seen);
  }
  return cut;
}
