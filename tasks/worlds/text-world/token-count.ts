/** @file Length of a text in tokens of the text world's own tokenizer, fast enough to match thousands of candidates. */
import { BYTE_ALPHABET, sha256Json } from '../../../harness/kit/index.ts';
import { MERGES } from './merges.ts';

/** What cuts a text into words before merging: letters, single digits, symbols, each with one space before at most. */
export const WORD_PATTERN = '\\n| ?\\p{L}+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s';

/** Changes with the lengths that {@link tokenCounter} may give. */
export const tokenCounterFingerprint = (): string => sha256Json({ words: WORD_PATTERN, merges: MERGES });

/** A counter that is exact because merges never cross words, so that each word needs to be tokenized only once. */
export function tokenCounter(): (text: string) => number {
  const ranks = new Map<string, number>();
  for (let i = 0; i < MERGES.length; i += 2) ranks.set(`${MERGES[i]} ${MERGES[i + 1]}`, i);
  const counts = new Map<string, number>();
  return (text) => {
    let sum = 0;
    for (const word of pretokenize(text)) {
      let count = counts.get(word);
      if (count === undefined) {
        count = mergePieces([...word], ranks).length;
        counts.set(word, count);
      }
      sum += count;
    }
    return sum;
  };
}

/** Words of a text in byte-alphabet characters. */
export function pretokenize(text: string): string[] {
  const encoder = new TextEncoder();
  return [...text.matchAll(new RegExp(WORD_PATTERN, 'gu'))].map(([word]) =>
    Array.from(encoder.encode(word), (byte) => BYTE_ALPHABET[byte]!).join(''),
  );
}

/** A word's pieces after all merges, of which `ranks` has the priority by `left right`: the earliest first. */
export function mergePieces(pieces: readonly string[], ranks: ReadonlyMap<string, number>): string[] {
  let merged = [...pieces];
  while (true) {
    let [least, place] = [Infinity, -1];
    for (let i = 0; i + 1 < merged.length; i++) {
      const rank = ranks.get(`${merged[i]} ${merged[i + 1]}`) ?? Infinity;
      if (rank < least) [least, place] = [rank, i];
    }
    if (place < 0) return merged;
    merged = mergePair(merged, merged[place]!, merged[place + 1]!);
  }
}

/** A word's pieces with every `left` that `right` follows joined to it. */
export function mergePair(pieces: readonly string[], left: string, right: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(pieces[i]!);
  }
  return out;
}
