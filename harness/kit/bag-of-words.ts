/** @file Bag of words: a logistic regression on the counts of a text's words. */
import type { Csr } from '../num/csr.ts';
import { sparseFeatures } from '../num/features.ts';
import { fitLogistic } from '../num/logistic.ts';

export interface BagOfWords {
  intercept: number;
  /** Weight of each word of the training texts, in the order in which they come. */
  weights: Map<string, number>;
}

/** Fits it with an L2 penalty of inverse strength `C`, solved to convergence. */
export function fitBagOfWords(texts: readonly string[], labels: ArrayLike<number>, C: number): BagOfWords {
  const { words, counts } = wordMatrix(texts);
  const model = fitLogistic(sparseFeatures(counts), labels, { C });
  return { intercept: model.intercept, weights: new Map(words.map((word, i) => [word, model.weights[i]!])) };
}

/** Log-odds of a text, by how often each word stands in it. */
export function bagOfWordsScore({ intercept, weights }: BagOfWords, counts: ReadonlyMap<string, number>): number {
  let score = intercept;
  for (const [word, count] of counts) score += count * (weights.get(word) ?? 0);
  return score;
}

/** Counts [texts, words] of all words of `texts`, and the words in the order of the columns. */
function wordMatrix(texts: readonly string[]): { words: string[]; counts: Csr } {
  const columns = new Map<string, number>();
  const indptr = new Uint32Array(texts.length + 1);
  const indices: number[] = [];
  const values: number[] = [];
  texts.forEach((text, row) => {
    const entries = [...countWords(text)].map(([word, count]) => {
      if (!columns.has(word)) columns.set(word, columns.size);
      return [columns.get(word)!, count] as const;
    });
    for (const [column, count] of entries.sort((a, b) => a[0] - b[0])) {
      indices.push(column);
      values.push(count);
    }
    indptr[row + 1] = indices.length;
  });
  const counts = {
    n: texts.length,
    d_sae: columns.size,
    indptr,
    indices: Uint32Array.from(indices),
    values: Float32Array.from(values),
  };
  return { words: [...columns.keys()], counts };
}

/** Runs of at least two letters, digits or underscores of the lower-cased text: CountVectorizer's default `\w\w+`. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
}

/** How often each word stands in `text`. */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
