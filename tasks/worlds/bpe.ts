/** @file Byte-pair encoding: the training of merges, and their use. */

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

function mergePair(pieces: string[], left: string, right: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(pieces[i]!);
  }
  return out;
}
