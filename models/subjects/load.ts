/** @file What loading a subject's folder needs whatever the family: config, tokenizer, token batches. */
import { type TokenBatch, UserError } from '../../harness/contract.ts';
import { loadTokenizer } from '../../harness/kit/index.ts';

/** Right-pads rows of ids to the longest. */
export function batchOf(rows: readonly (readonly number[])[], padId: number): TokenBatch {
  const length = rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const ids = new Int32Array(rows.length * length).fill(padId);
  const mask = new Uint8Array(rows.length * length);
  rows.forEach((row, i) => {
    ids.set(row, i * length);
    mask.fill(1, i * length, i * length + row.length);
  });
  return { n: rows.length, length, ids, mask };
}

/** Embeddings are padded to round sizes, by a few rows in a hundred; a tokenizer of half their size is another model's. */
const LEAST_KNOWN = 0.5;

/**
 * The tokenizer of a folder whose embedding has `vocab` rows.
 *
 * @throws UserError for one that knows ids without a row in the embedding, or too few for it.
 */
export async function openTokenizer(folder: string, vocab: number): ReturnType<typeof loadTokenizer> {
  const tokenizer = await loadTokenizer(folder);
  if (tokenizer.vocabSize <= vocab && tokenizer.vocabSize >= LEAST_KNOWN * vocab) return tokenizer;
  throw new UserError(
    `subject ${folder}: the config has vocab_size ${vocab}, the tokenizer has ids up to ${tokenizer.vocabSize - 1}: ` +
      'they belong to different models.',
  );
}
