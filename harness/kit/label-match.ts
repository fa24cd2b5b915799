/** @file Latents by what they are said to stand for: the label that is most like a concept's. */

/** A latent whose label is like a concept's. */
export interface LabelMatch {
  latent: number;
  label: string;
  /** 1: the same text, but for case and white space; else the cosine of their words. */
  similarity: number;
}

/** Less than this is no match: at most half of what the two say, by weight of its words, is shared. */
const LEAST = 0.5;

/** In lower case, accents composed. */
const folded = (text: string): string => text.normalize('NFC').toLowerCase();
const normalised = (text: string): string => folded(text).trim().replaceAll(/\s+/g, ' ');

/**
 * For each concept the latent whose label is its own label or id, but for case and white space; else the one of the largest
 * cosine between word counts, each word weighted by ln((1 + n) / (1 + labels with it)) + 1 over the n labels, if that is at
 * least 0.5. The first latent of equals (AxBench).
 */
export function matchLabels(
  labels: Readonly<Record<number, string>>,
  concepts: readonly { id: string; label: string }[],
): (LabelMatch | undefined)[] {
  const entries = Object.entries(labels)
    .map(([latent, label]) => ({ latent: Number(latent), label, words: countsOf(label) }))
    .sort((a, b) => a.latent - b.latent);
  const exact = new Map<string, (typeof entries)[number]>();
  const having = new Map<string, number>();
  for (const entry of entries) {
    const key = normalised(entry.label);
    if (!exact.has(key)) exact.set(key, entry);
    for (const word of entry.words.keys()) having.set(word, (having.get(word) ?? 0) + 1);
  }
  const weightOf = (word: string) => Math.log((1 + entries.length) / (1 + (having.get(word) ?? 0))) + 1;
  const lengths = new Float64Array(entries.length);
  const places = new Map<string, { entry: number; weight: number }[]>();
  entries.forEach(({ words }, entry) => {
    const vector = weighted(words, weightOf);
    lengths[entry] = squareOf(vector);
    for (const [word, weight] of vector) {
      const found = places.get(word);
      if (found) found.push({ entry, weight });
      else places.set(word, [{ entry, weight }]);
    }
  });
  return concepts.map(({ id, label }) => {
    const same = exact.get(normalised(label)) ?? exact.get(normalised(id));
    if (same) return { latent: same.latent, label: same.label, similarity: 1 };
    const own = weighted(countsOf(label), weightOf);
    const square = squareOf(own);
    // Only labels that share a word: of tens of thousands most share none.
    const products = new Map<number, number>();
    for (const [word, value] of own) {
      for (const { entry, weight } of places.get(word) ?? []) {
        products.set(entry, (products.get(entry) ?? 0) + value * weight);
      }
    }
    let [best, most] = [-1, LEAST];
    for (const [entry, product] of products) {
      const similarity = product / Math.sqrt(square * lengths[entry]!);
      if (similarity > most || (similarity === most && (best < 0 || entry < best))) [best, most] = [entry, similarity];
    }
    return best < 0 ? undefined : { latent: entries[best]!.latent, label: entries[best]!.label, similarity: most };
  });
}

function countsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  // Marks are parts of words: vowels in the scripts of India, for one.
  for (const word of folded(text).match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const weighted = (counts: Map<string, number>, weightOf: (word: string) => number): Map<string, number> =>
  new Map([...counts].map(([word, count]) => [word, count * weightOf(word)]));

const squareOf = (vector: Map<string, number>): number =>
  [...vector.values()].reduce((sum, value) => sum + value * value, 0);
