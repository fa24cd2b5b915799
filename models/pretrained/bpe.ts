/** @file Byte-pair encoding: the training of merges. */
import { mergePair } from '../../tasks/worlds/text-world/token-count.ts';

/** A trained vocabulary: tokens in id order, and merges in order of priority. */
export interface Bpe {
  readonly vocab: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/** A word as its first pieces, and how often it occurs. */
export interface CountedWord {
  readonly pieces: readonly string[];
  readonly count: number;
}

/** How often each word occurs, in the order of their first occurrence. */
export function countWords(words: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/**
 * Learns merges (Sennrich et al. 2016) until the vocabulary, which begins with `initial`, has `vocabSize` tokens or
 * every word is one token. Ties go to the pair that comes first in code-unit order, so the result depends on the
 * counts only.
 */
export function trainBpe(counted: readonly CountedWord[], initial: readonly string[], vocabSize: number): Bpe {
  const words = counted.map(({ pieces, count }) => ({ pieces: [...pieces], count }));
  const vocab = [...initial];
  const merges: [string, string][] = [];
  while (vocab.length < vocabSize) {
    const pairCounts = new Map<string, number>();
    for (const { pieces, count } of words) {
      for (let i = 0; i + 1 < pieces.length; i++) {
        const pair = `${pieces[i]} ${pieces[i + 1]}`;
        pairCounts.set(pair, (pairCounts.get(pair) ?? 0) + count);
      }
    }
    let best: string | null = null;
    let bestCount = 0;
    for (const [pair, count] of pairCounts) {
      if (count > bestCount || (count === bestCount && best !== null && pair < best)) {
        best = pair;
        bestCount = count;
      }
    }
    if (best === null) break;
    const [left, right] = best.split(' ') as [string, string];
    merges.push([left, right]);
    vocab.push(left + right);
    for (const word of words) word.pieces = mergePair(word.pieces, left, right);
  }
  return { vocab, merges };
}
