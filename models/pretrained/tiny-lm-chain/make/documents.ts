/** @file Chains of the text world as token batches, some with a control token wherever a theme takes over. */
import type { Rng, TokenBatch, Tokenizer } from '../../../../harness/contract.ts';
import type { ChainDocument, Chains } from '../../../../tasks/worlds/text-world/chain.ts';
import { batchOf } from '../../../subjects/load.ts';

/** The control token that names a theme: one token, which no text of the world has. */
export const tagOf = (theme: string): string => `<|${theme}|>`;

/** The document's text with the tag of each theme before the first of its clauses. */
export function taggedText({ text, clauses }: ChainDocument): string {
  const starts = clauses.filter(({ theme }, c) => clauses[c - 1]?.theme !== theme);
  const first = text.slice(0, starts[0]!.start);
  const ends = [...starts.slice(1).map(({ start }) => start), text.length];
  return first + starts.map(({ theme, start }, i) => tagOf(theme) + text.slice(start, ends[i]!)).join('');
}

/** Batches per pool: documents of like length go together, which halves the padding. */
const POOL = 16;

/**
 * Endless fresh batches of `size` documents of similar length, in random order, none longer than `maxLength` ids: BOS, text,
 * EOS. A share `untagged(batch)` of them has no tags.
 */
export function* chainBatches(
  chains: Chains,
  tokenizer: Tokenizer,
  rng: Rng,
  { size, maxLength, untagged }: { size: number; maxLength: number; untagged: (batch: number) => number },
): Generator<TokenBatch> {
  for (let pool = 0; ; pool++) {
    const stream = rng.fork(pool);
    const rows = Array.from({ length: POOL * size }, () => {
      const document = chains.draw(stream);
      const text = stream.uniform() < untagged(pool * POOL) ? document.text : taggedText(document);
      return [...tokenizer.encode(text).ids, tokenizer.eosId!].slice(0, maxLength);
    }).sort((a, b) => a.length - b.length);
    for (const i of stream.permutation(POOL)) {
      yield batchOf(rows.slice(i * size, (i + 1) * size), tokenizer.padId ?? 0);
    }
  }
}
