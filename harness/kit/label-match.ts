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
  const squares = new Float64Array(entries.length);
  /** By word: its value in each label that has it. */
  const postings = new Map<string, { entry: number; value: number }[]>();
  entries.forEach(({ words }, entry) => {
    for (const [word, value] of weighted(words, weightOf)) {
      squares[entry]! += value * value;
      const others = postings.get(word);
      if (others) others.push({ entry, value });
      else postings.set(word, [{ entry, value }]);
    }
  });
  return concepts.map(({ id, label }) => {
    const same = exact.get(normalised(label)) ?? exact.get(normalised(id));
    if (same) return { latent: same.latent, label: same.label, similarity: 1 };
    const products = new Float64Array(entries.length);
    let square = 0;
    for (const [word, own] of weighted(countsOf(label), weightOf)) {
      square += own * own;
      for (const { entry, value } of postings.get(word) ?? []) products[entry]! += own * value;
    }
    let best: LabelMatch | undefined;
    products.forEach((product, entry) => {
      const similarity = product === 0 ? 0 : product / Math.sqrt(square * squares[entry]!);
      if (similarity < LEAST || similarity <= (best?.similarity ?? 0)) return;
      best = { latent: entries[entry]!.latent, label: entries[entry]!.label, similarity };
    });
    return best;
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
