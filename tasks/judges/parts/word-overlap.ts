/**
 * @file Whether a text keeps to its prompt, where no world knows its topic: do the prompt's telling words come again?
 * On TinyStories, of the 20 words after a beginning of some 45 words 53 % grade 2, 37 % grade 1, 10 % grade 0; of 20 words of
 * another story 1 %, 8 % and 91 %.
 */
import type { SteeringPrompt } from '../../../harness/contract.ts';

/** A word of more than this share of all documents tells nothing. */
const GENERAL = 0.1;
const SHORTEST = 3;

/** Lower-cased words of a text. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
}

/** In how many documents each word occurs. */
export function documentFrequencies(documents: readonly string[]): Map<string, number> {
  const frequencies = new Map<string, number>();
  for (const text of documents) {
    for (const word of new Set(wordsOf(text))) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  }
  return frequencies;
}

/** The telling words of a text, rarest first: at least three letters, in at most a tenth of the documents. */
export function rareWords(text: string, frequencies: ReadonlyMap<string, number>, documents: number): string[] {
  const rarity = (word: string) => frequencies.get(word) ?? 0;
  return [...new Set(wordsOf(text))]
    .filter((word) => word.length >= SHORTEST && rarity(word) <= GENERAL * documents)
    .sort((a, b) => rarity(a) - rarity(b) || (a < b ? -1 : 1));
}

/** 2 when at least two of the topic's words (or its only one) come in the text, 1 for one of several, else 0. */
export function keepsToTopic(text: string, { topic = '' }: SteeringPrompt): number {
  const wanted = wordsOf(topic);
  const found = new Set(wordsOf(text));
  const hits = wanted.filter((word) => found.has(word)).length;
  return hits === 0 ? 0 : hits >= Math.min(2, wanted.length) ? 2 : 1;
}
