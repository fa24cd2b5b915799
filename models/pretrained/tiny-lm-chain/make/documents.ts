/** @file Chains of the text world as token batches, some with a control token wherever a theme takes over. */
import type { Rng, TokenBatch, Tokenizer } from '../../../../harness/contract.ts';
import type { ChainDocument, Chains } from '../../../../tasks/worlds/text-world/chain.ts';
import { batchOf } from '../../../subjects/load.ts';

/** The control token that names a theme: one token, which no text of the world has. */
export const tagOf = (theme: string): string => `<|${theme}|>`;

/** A text with the places where its clauses, or the tags before them, begin. */
interface ToldText {
  text: string;
  clauses: { start: number; theme: string }[];
}

const untold = ({ text, clauses }: ChainDocument): ToldText => ({ text, clauses: [...clauses] });

/** Tags before the first clause of each theme, and before those other clauses of which `repeats` says so. */
function tag({ text, clauses }: ChainDocument, repeats: () => boolean): ToldText {
  const told: ToldText = { text: text.slice(0, clauses[0]!.start), clauses: [] };
  clauses.forEach(({ start, theme }, c) => {
    const end = clauses[c + 1]?.start ?? text.length;
    told.clauses.push({ start: told.text.length, theme });
    if (clauses[c - 1]?.theme !== theme || repeats()) told.text += tagOf(theme);
    told.text += text.slice(start, end);
  });
  return told;
}

/**
 * The document's text with the tag of its theme before the first clause of each theme, and before those other clauses of which
 * `repeats`, which is asked for each in turn, says so.
 */
export const taggedText = (document: ChainDocument, repeats: () => boolean = () => false): string =>
  tag(document, repeats).text;

/** How much documents are told of their themes, in shares from 0 to 1, by the number of the batch. */
export interface Telling {
  /** Of the documents without any tag. */
  untagged: (batch: number) => number;
  /** Of the clauses of the others that tell their theme again though it is that of the clause before. */
  repeated: (batch: number) => number;
}

/** Batches per pool: documents of like length go together, which halves the padding. */
const POOL = 16;

/** A batch of documents with what is asked of their tokens. */
export interface ChainBatch extends TokenBatch {
  /** The theme of the clause that each token ends in, as a place among the chains' concepts; −1 outside of clauses. */
  readonly themes: Int32Array;
}

/**
 * Endless fresh batches of `size` documents of similar length, in random order, none longer than `maxLength` ids: BOS, text,
 * EOS.
 */
export function* chainBatches(
  chains: Chains,
  tokenizer: Tokenizer,
  rng: Rng,
  { size, maxLength, untagged, repeated }: Telling & { size: number; maxLength: number },
): Generator<ChainBatch> {
  const places = new Map(chains.concepts.map(({ id }, place) => [id, place]));
  for (let pool = 0; ; pool++) {
    const stream = rng.fork(pool);
    const [none, again] = [untagged(pool * POOL), repeated(pool * POOL)];
    const rows = Array.from({ length: POOL * size }, () => {
      const document = chains.draw(stream);
      const tagged = stream.uniform() < none ? untold(document) : tag(document, () => stream.uniform() < again);
      const { ids, offsets } = tokenizer.encode(tagged.text);
      const themes = offsets.map(([, end]) => {
        const { theme } = tagged.clauses.findLast(({ start }) => start < end) ?? {};
        return theme === undefined ? -1 : places.get(theme)!;
      });
      return { ids: [...ids, tokenizer.eosId!].slice(0, maxLength), themes: [...themes, -1].slice(0, maxLength) };
    }).sort((a, b) => a.ids.length - b.ids.length);
    for (const i of stream.permutation(POOL)) {
      const own = rows.slice(i * size, (i + 1) * size);
      const batch = batchOf(
        own.map(({ ids }) => ids),
        tokenizer.padId ?? 0,
      );
      const themes = new Int32Array(batch.ids.length).fill(-1);
      own.forEach((row, r) => {
        themes.set(row.themes, r * batch.length);
      });
      yield { ...batch, themes };
    }
  }
}
