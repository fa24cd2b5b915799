/** @file Documents of the text world as token batches for tiny-lm-planted: BOS, text, EOS, right-padded. */
import type { Rng, TokenBatch, Tokenizer } from '../../../../harness/contract.ts';
import type { TextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import { batchOf } from '../../../subjects/load.ts';

/** Ids of each text between BOS and EOS, padded on the right to the longest. */
export function encodeDocuments(tokenizer: Tokenizer, texts: string[]): TokenBatch {
  return batchOf(
    texts.map((text) => [...tokenizer.encode(text).ids, tokenizer.eosId!]),
    tokenizer.padId ?? 0,
  );
}

/** Batches per pool: documents of like length go together, which halves the padding. */
const POOL = 16;

/** Clauses of a lesson: the number from which a document still fits tiny-lm-planted's positions nearly always. */
const LESSON_CLAUSES = 7;

/** A batch of documents with what training knows of each row. */
export interface DocumentBatch extends TokenBatch {
  /** Place of each document's theme among the world's concepts. */
  readonly themes: readonly number[];
  /** Column of each row's first token by which the document has shown its theme for certain. */
  readonly shownAt: readonly number[];
}

/**
 * Endless fresh batches of `size` documents of similar length, in random order, none longer than `maxLength` ids. A
 * share `lesson(pool)` of the documents is longer than the world's: that a theme returns is seen more often there.
 */
export function* freshBatches(
  world: TextWorld,
  tokenizer: Tokenizer,
  rng: Rng,
  { size, maxLength, lesson }: { size: number; maxLength: number; lesson: (batch: number) => number },
): Generator<DocumentBatch> {
  const places = new Map(world.concepts.map(({ id }, place) => [id, place]));
  for (let pool = 0; ; pool++) {
    const stream = rng.fork(pool);
    const share = lesson(pool * POOL);
    const rows = Array.from({ length: POOL * size }, () => {
      const document = world.generate(stream, stream.uniform() < share ? { clauses: LESSON_CLAUSES } : {});
      const { ids, offsets } = tokenizer.encode(document.text);
      const shown = document.spans[0]!.end;
      return {
        ids: [...ids, tokenizer.eosId!].slice(0, maxLength),
        theme: places.get(document.theme)!,
        shownAt: offsets.findIndex(([, end]) => end >= shown),
      };
    }).sort((a, b) => a.ids.length - b.ids.length);
    for (const i of stream.permutation(POOL)) {
      const own = rows.slice(i * size, (i + 1) * size);
      const batch = batchOf(
        own.map(({ ids }) => ids),
        tokenizer.padId ?? 0,
      );
      yield { ...batch, themes: own.map(({ theme }) => theme), shownAt: own.map(({ shownAt }) => shownAt) };
    }
  }
}
