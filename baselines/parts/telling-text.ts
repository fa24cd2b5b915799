/** @file The text of a class whose beginning tells it best from the others, by the words that its texts use. */

/** Words of a beginning: about what a model generates. */
const WORDS = 24;

const beginning = (text: string): Set<string> =>
  new Set((text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? []).slice(0, WORDS));

/**
 * Of the texts with label 1 the one with the largest sum, over the different words among its first 24, of ln(p₁ / p₀): the
 * shares of the texts of either label that begin with the word among theirs (half a text is added to each count). The
 * first of equals; '' where there is none.
 */
export function mostTelling(texts: readonly string[], labels: ArrayLike<number>): string {
  const words = texts.map(beginning);
  const counts = [new Map<string, number>(), new Map<string, number>()];
  const sizes = [0, 0];
  words.forEach((own, i) => {
    sizes[labels[i]!]!++;
    for (const word of own) counts[labels[i]!]!.set(word, (counts[labels[i]!]!.get(word) ?? 0) + 1);
  });
  const share = (word: string, label: 0 | 1) => ((counts[label]!.get(word) ?? 0) + 0.5) / (sizes[label]! + 1);
  let [best, most] = ['', -Infinity];
  words.forEach((own, i) => {
    if (labels[i] !== 1) return;
    let score = 0;
    for (const word of own) score += Math.log(share(word, 1) / share(word, 0));
    if (score > most) [best, most] = [texts[i]!, score];
  });
  return best;
}
