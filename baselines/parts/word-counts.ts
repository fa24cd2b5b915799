/** @file Words of a text, as scikit-learn's CountVectorizer finds them. */

/** Runs of at least two letters, digits or underscores of the lower-cased text: CountVectorizer's default `\w\w+`. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
}

/** How often each word stands in `text`. */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
