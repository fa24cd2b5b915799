/** @file The changed texts of every concept: without its words, and with sentences that affirm it, deny it or tell it of the family. */
import type { ActivationSet, ConceptSet, Item, Rng } from '../../harness/contract.ts';
import type { ConceptSplit } from '../concept-detection/splits.ts';
import { ownWords, withoutWords } from './own-words.ts';
import { nameOf, STATEMENTS, type Statement, withStatement } from './statements.ts';

/** Held-out items of a concept and the same without its words, place by place. */
export interface Masked {
  positives: Uint32Array;
  maskedPositives: Uint32Array;
  negatives: Uint32Array;
  maskedNegatives: Uint32Array;
  /** Places in texts that were taken out, of positives and of negatives. */
  removed: [number, number];
}

/** Held-out negatives of a concept, and each with a sentence; `other`: another concept's name in the affirming sentence. */
export type Stated = Record<Statement | 'other' | 'base', Uint32Array>;

export interface ChangedTexts {
  items: Item[];
  /** By concept: undefined where no held-out positive has its words. */
  masked: (Masked | undefined)[];
  /** By concept: undefined where a text cannot deny it. */
  stated: (Stated | undefined)[];
}

export interface TextOptions {
  maskedTexts: number;
  statementTexts: number;
}

/** Bytes of the activations of the changed texts, which are held in memory as long as the site. */
const MOST_BYTES = 2 ** 28;
/** Texts that one base of statements makes: three kinds and the other concept's name. */
const PER_BASE = 4;

/** As many texts of each kind as asked for, and fewer where texts are long, the site wide or concepts many; two of each at least. */
export function affordable(
  { maskedTexts, statementTexts }: TextOptions,
  splits: readonly Pick<ConceptSplit, 'positives'>[],
  { bounds, d_in }: Pick<ActivationSet, 'bounds' | 'd_in'>,
): TextOptions {
  const places = splits.flatMap(({ positives }) => [...positives]);
  const rows = places.reduce((sum, item) => sum + bounds[item + 1]! - bounds[item]!, 0) / Math.max(1, places.length);
  const most = MOST_BYTES / (rows * d_in * Float32Array.BYTES_PER_ELEMENT) / Math.max(1, splits.length);
  const share = Math.min(1, most / Math.max(1, maskedTexts + PER_BASE * statementTexts));
  const of = (texts: number) => (texts === 0 ? 0 : Math.max(2, Math.floor(texts * share)));
  return { maskedTexts: of(maskedTexts), statementTexts: of(statementTexts) };
}

/** Makes them; the first of `items` stands behind the set's own. */
export function changeTexts(
  set: ConceptSet,
  splits: readonly ConceptSplit[],
  { maskedTexts, statementTexts }: TextOptions,
  rng: Rng,
): ChangedTexts {
  const items: Item[] = [];
  const add = (place: number, name: string, text: string): number => {
    const item = set.items[place]!;
    // Its spans are those of the text as it was.
    const { spans: _, ...rest } = item;
    items.push({ ...rest, id: `${item.id} ${name}`, text });
    return set.items.length + items.length - 1;
  };
  const masked = splits.map((split, c): Masked | undefined => {
    const concept = set.concepts[c]!;
    const words = ownWords(concept);
    if (!words || maskedTexts === 0) return undefined;
    const own = rng.fork(concept.id);
    const without = (place: number) => withoutWords(set.items[place]!, words);
    // A text that is nothing but the words has nothing left to be scored on.
    const drawn = (name: string, places: Uint32Array) =>
      Uint32Array.from(
        [...own.fork(name).shuffle(places.slice())]
          .filter((place) => without(place).text.trim() !== '')
          .slice(0, maskedTexts),
      );
    const positives = drawn('positives', split.positives);
    const negatives = drawn('negatives', split.negatives);
    const counts = [positives, negatives].map((places) =>
      places.reduce((sum, place) => sum + without(place).removed, 0),
    );
    if (counts[0] === 0 || negatives.length === 0) return undefined;
    const change = (places: Uint32Array) =>
      places.map((place) => {
        const { text, removed } = without(place);
        return removed === 0 ? place : add(place, `without ${concept.id}`, text);
      });
    return {
      positives,
      negatives,
      maskedPositives: change(positives),
      maskedNegatives: change(negatives),
      removed: [counts[0]!, counts[1]!],
    };
  });
  const named = set.concepts.flatMap((concept, c) => (concept.deniable === false ? [] : [c]));
  const stated = splits.map((split, c): Stated | undefined => {
    const concept = set.concepts[c]!;
    const at = named.indexOf(c);
    if (at < 0 || named.length < 2 || statementTexts === 0) return undefined;
    const other = set.concepts[named[(at + 1) % named.length]!]!;
    const own = rng.fork(`statements ${concept.id}`);
    const base = own.fork('base').shuffle(split.negatives.slice()).slice(0, statementTexts);
    const change = (kind: Statement, name: string, marked: string) =>
      base.map((place) => {
        const text = withStatement(set.items[place]!, name, kind, own.fork(set.items[place]!.id));
        return add(place, `${marked} ${concept.id}`, text);
      });
    const kinds = Object.keys(STATEMENTS) as Statement[];
    const changed = Object.fromEntries(kinds.map((kind) => [kind, change(kind, nameOf(concept), kind)]));
    return { ...(changed as Record<Statement, Uint32Array>), other: change('affirmed', nameOf(other), 'other'), base };
  });
  return { items, masked, stated };
}

/** By concept, the places of all its changed texts. */
export const placesOfChanged = ({ masked, stated }: ChangedTexts, first: number): Uint32Array[] =>
  masked.map((own, c) => {
    const { base: _, ...changed } = stated[c] ?? { base: undefined };
    const places = [own?.maskedPositives ?? [], own?.maskedNegatives ?? [], ...Object.values(changed)];
    return Uint32Array.from(new Set(places.flatMap((each) => [...each]).filter((place) => place >= first)));
  });
