/** @file What loading a subject's folder needs whatever the family: config, tokenizer, token batches. */
import { type TokenBatch, type Tokenizer, UserError } from '../../harness/contract.ts';
import { loadTokenizer } from '../../harness/kit/index.ts';

/** A folder's tokenizer by the contract, and the ids of a text cut so that its special tokens stay. */
export async function openTokenizer(folder: string): Promise<{
  tokenizer: Tokenizer;
  idsOf: (text: string, options: { maxLength: number; addSpecialTokens?: boolean }) => number[];
}> {
  const tokenizer = await loadTokenizer(folder);
  return { tokenizer, idsOf: (text, options) => tokenizer.encode(text, options).ids };
}

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

/** Refuses a tokenizer that knows ids without a row in the embedding, or too few for it. */
export function checkVocabulary(folder: string, tokenizer: Tokenizer, vocab: number): void {
  if (tokenizer.vocabSize <= vocab && tokenizer.vocabSize >= LEAST_KNOWN * vocab) return;
  throw new UserError(
    `subject ${folder}: the config has vocab_size ${vocab}, the tokenizer has ids up to ${tokenizer.vocabSize - 1}: ` +
      'they belong to different models.',
  );
}
