/** @file Length of a text in tiny-lm's tokens, fast enough to match thousands of candidates. */
import { join } from 'node:path';
import { loadTokenizer, packageRoot, tokenizerFingerprint } from '../../../harness/kit/index.ts';
import { WORD_PATTERN } from '../../worlds/text-world/tokenizer-json.ts';

const TINY_LM = join(packageRoot, 'models/pretrained/tiny-lm');

/** Changes with the lengths that {@link tokenCounter} may give. */
export const tokenCounterFingerprint = (): Promise<string> => tokenizerFingerprint(TINY_LM);

/** A counter that is exact because merges never cross words, so that each word needs to be tokenized only once. */
export async function tokenCounter(): Promise<(text: string) => number> {
  const tokenizer = await loadTokenizer(TINY_LM);
  const pattern = new RegExp(WORD_PATTERN, 'gu');
  const counts = new Map<string, number>();
  return (text) => {
    let sum = 0;
    for (const [word] of text.matchAll(pattern)) {
      let count = counts.get(word);
      if (count === undefined) {
        count = tokenizer.encode(word, { addSpecialTokens: false }).ids.length;
        counts.set(word, count);
      }
      sum += count;
    }
    return sum;
  };
}
