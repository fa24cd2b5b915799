/** @file Chains of the text world as token batches, some with a control token wherever a theme takes over. */
import type { Rng, TokenBatch, Tokenizer } from '../../../../harness/contract.ts';
import type { ChainDocument, Chains } from '../../../../tasks/worlds/text-world/chain.ts';
import { batchOf } from '../../../subjects/load.ts';

/** The control token that names a theme: one token, which no text of the world has. */
export const tagOf = (theme: string): string => `<|${theme}|>`;

/**
 * The document's text with the tag of its theme before the first clause of each theme, and before those other clauses of which
 * `repeats`, which is asked for each in turn, says so.
 */
export function taggedText({ text, clauses }: ChainDocument, repeats: () => boolean = () => false): string {
  let tagged = text.slice(0, clauses[0]!.start);
  clauses.forEach(({ start, theme }, c) => {
    const end = clauses[c + 1]?.start ?? text.length;
    const told = clauses[c - 1]?.theme !== theme || repeats();
    tagged += (told ? tagOf(theme) : '') + text.slice(start, end);
  });
  return tagged;
}

/** How much documents are told of their themes, in shares from 0 to 1, by the number of the batch. */
export interface Telling {
  /** Of the documents without any tag. */
  untagged: (batch: number) => number;
  /** Of the clauses of the others that tell their theme again though it is that of the clause before. */
  repeated: (batch: number) => number;
}

/** Batches per pool: documents of like length go together, which halves the padding. */
const POOL = 16;

/**
 * Endless fresh batches of `size` documents of similar length, in random order, none longer than `maxLength` ids: BOS, text,
 * EOS.
 */
export function* chainBatches(
  chains: Chains,
  tokenizer: Tokenizer,
  rng: Rng,
  { size, maxLength, untagged, repeated }: Telling & { size: number; maxLength: number },
): Generator<TokenBatch> {
  for (let pool = 0; ; pool++) {
    const stream = rng.fork(pool);
    const [none, again] = [untagged(pool * POOL), repeated(pool * POOL)];
    const rows = Array.from({ length: POOL * size }, () => {
      const document = chains.draw(stream);
      const text = stream.uniform() < none ? document.text : taggedText(document, () => stream.uniform() < again);
      return [...tokenizer.encode(text).ids, tokenizer.eosId!].slice(0, maxLength);
    }).sort((a, b) => a.length - b.length);
    for (const i of stream.permutation(POOL)) {
      yield batchOf(rows.slice(i * size, (i + 1) * size), tokenizer.padId ?? 0);
    }
  }
}
