/** @file Ways to spoil a text: what the fluency scale is calibrated against. */
import type { Rng } from '../../../harness/contract.ts';

/** Kinds of corruption, from errors that a reader notices to nonsense. */
export const CORRUPTIONS = ['swapped', 'replaced', 'shuffled', 'random', 'salad', 'repeated'] as const;
export type Corruption = (typeof CORRUPTIONS)[number];

/** One word in this many is touched where errors are to be noticeable and no more. */
const ONE_IN = 6;
/** Letters of a word that says something by itself. */
const LONG = 5;
/** Words of a phrase that is repeated, at most. */
const PHRASE = 4;

/**
 * The text with one kind of corruption; `others` lends foreign words. Two kinds leave most of it as it is: one word in
 * six is swapped with its neighbour or replaced. Three kinds leave nothing: all words shuffled, or replaced, or the long ones
 * alone (`salad`), shuffled, over and over. `repeated` says a phrase of one to four of its words over and over. All but for
 * the last two keep every place's word or give another; the text has as many words as before.
 */
export function corrupt(text: string, kind: Corruption, others: readonly string[], rng: Rng): string {
  const words = wordsOf(text);
  if (words.length < 2) return words.join(' ');
  const foreign = (): string => rng.choice(wordsOf(rng.choice(others)));
  const touched = rng.sample(words.length - 1, Math.max(1, Math.round(words.length / ONE_IN)));
  switch (kind) {
    case 'swapped':
      for (const at of touched) [words[at], words[at + 1]] = [words[at + 1]!, words[at]!];
      return words.join(' ');
    case 'replaced':
      for (const at of touched) words[at] = foreign();
      return words.join(' ');
    case 'shuffled':
      return rng.shuffle(words).join(' ');
    case 'random':
      return words.map(foreign).join(' ');
    case 'salad': {
      const long = words.filter((word) => word.length >= LONG);
      const telling = long.length > 0 ? long : words;
      return Array.from({ length: Math.ceil(words.length / telling.length) }, () => rng.shuffle([...telling]))
        .flat()
        .slice(0, words.length)
        .join(' ');
    }
    case 'repeated': {
      const length = 1 + rng.int(Math.min(PHRASE, words.length));
      const start = rng.int(words.length - length + 1);
      return words.map((_, i) => words[start + (i % length)]!).join(' ');
    }
  }
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
