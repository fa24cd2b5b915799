/** @file Length of a text in tokens of the text world's own tokenizer, fast enough to match thousands of candidates. */
import { BYTE_ALPHABET, sha256Json } from '../../../harness/kit/index.ts';
import { mergePieces } from '../../worlds/bpe.ts';
import { MERGES } from '../../worlds/text-world/merges.ts';
import { pretokenize } from '../../worlds/text-world/tokenizer-json.ts';

/** Changes with the lengths that {@link tokenCounter} may give. */
export const tokenCounterFingerprint = (): string => sha256Json(MERGES);

/** A counter that is exact because merges never cross words, so that each word needs to be tokenized only once. */
export function tokenCounter(): (text: string) => number {
  const ranks = new Map<string, number>();
  for (let i = 0; i < MERGES.length; i += 2) ranks.set(`${MERGES[i]} ${MERGES[i + 1]}`, i);
  const counts = new Map<string, number>();
  return (text) => {
    let sum = 0;
    for (const word of pretokenize(text, BYTE_ALPHABET)) {
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
