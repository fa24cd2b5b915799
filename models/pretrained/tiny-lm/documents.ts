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

/** Clauses of a lesson: the number from which a document still fits tiny-lm's positions nearly always. */
const LESSON_CLAUSES = 7;

/**
 * Endless fresh batches of `size` documents of similar length, in random order, none longer than `maxLength` ids. A
 * share `lesson(pool)` of the documents is longer than the world's: that a theme returns is seen more often there.
 */
export function* freshBatches(
  world: TextWorld,
  tokenizer: Tokenizer,
  rng: Rng,
  { size, maxLength, lesson }: { size: number; maxLength: number; lesson: (batch: number) => number },
): Generator<TokenBatch> {
  for (let pool = 0; ; pool++) {
    const stream = rng.fork(pool);
    const share = lesson(pool * POOL);
    const draw = () => world.generate(stream, stream.uniform() < share ? { clauses: LESSON_CLAUSES } : {}).text;
    const rows = Array.from({ length: POOL * size }, () =>
      [...tokenizer.encode(draw()).ids, tokenizer.eosId!].slice(0, maxLength),
    ).sort((a, b) => a.length - b.length);
    for (const i of stream.permutation(POOL)) {
      yield batchOf(rows.slice(i * size, (i + 1) * size), tokenizer.padId ?? 0);
    }
  }
}
