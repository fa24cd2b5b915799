/** @file An embedding of texts that needs no model: TF-IDF, projected at random. */
import type { Item } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';

/** Width of the projection: cosines are kept to about ±1/16. */
const DIM = 256;

export interface Embedding {
  /** Row-major [items, dim]. */
  data: Float32Array;
  dim: number;
  description: string;
}

/**
 * TF-IDF (term counts times ln((1 + n) / (1 + df)) + 1, rows of length 1, as scikit-learn's defaults) of lower-cased
 * words `\w\w+`, each word then replaced by a fixed random direction. Undefined when an item has no text. Texts
 * without a word share one direction of their own.
 */
export function tfidfEmbedding(items: readonly Item[]): Embedding | undefined {
  if (items.some(({ text }) => text === undefined)) return undefined;
  const documents = items.map(({ text }) => termCounts(text!));
  const frequency = new Map<string, number>();
  for (const counts of documents) for (const word of counts.keys()) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const rng = createRng('monosemanticity/tf-idf');
  const directions = new Map<string, Float32Array>();
  for (const word of frequency.keys()) directions.set(word, rng.fork(word).fillNormal(new Float32Array(DIM)));
  const data = new Float32Array(items.length * DIM);
  documents.forEach((counts, i) => {
    const row = new Float64Array(DIM);
    let square = 0;
    for (const [word, count] of counts) {
      const weight = count * (Math.log((1 + items.length) / (1 + frequency.get(word)!)) + 1);
      square += weight * weight;
      directions.get(word)!.forEach((value, j) => {
        row[j] = row[j]! + weight * value;
      });
    }
    data.set(
      row.map((value) => value / Math.sqrt(square)),
      i * DIM,
    );
  });
  return { data, dim: DIM, description: `TF-IDF of words, random projection to ${DIM} dimensions` };
}

function termCounts(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? ['']) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
