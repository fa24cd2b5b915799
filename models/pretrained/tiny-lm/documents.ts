/** @file Documents of the text world as token batches for tiny-lm: BOS, text, EOS, right-padded. */
import type { Rng, TokenBatch, Tokenizer } from '../../../harness/contract.ts';
import type { TextWorld } from '../../../tasks/worlds/text-world/world.ts';
import { batchOf } from '../../subjects/load.ts';

/** Ids of each text between BOS and EOS, padded on the right to the longest. */
export function encodeDocuments(tokenizer: Tokenizer, texts: string[]): TokenBatch {
  return batchOf(
    texts.map((text) => [...tokenizer.encode(text).ids, tokenizer.eosId!]),
    tokenizer.padId ?? 0,
  );
}

/** Batches per pool: documents of like length go together, which halves the padding. */
const POOL = 16;

/** Endless fresh batches of `size` documents of similar length, in random order. */
export function* freshBatches(world: TextWorld, tokenizer: Tokenizer, size: number, rng: Rng): Generator<TokenBatch> {
  for (let pool = 0; ; pool++) {
    const stream = rng.fork(pool);
    const rows = Array.from({ length: POOL * size }, () => [
      ...tokenizer.encode(world.generate(stream).text).ids,
      tokenizer.eosId!,
    ]).sort((a, b) => a.length - b.length);
    for (const i of stream.permutation(POOL)) {
      yield batchOf(rows.slice(i * size, (i + 1) * size), tokenizer.padId ?? 0);
    }
  }
}
