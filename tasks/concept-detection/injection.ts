/** @file The control of Ma et al. 2026 (arXiv:2601.05679): a few words that go with a concept, put into texts without it. */
import type { ActivationSet, ConceptSet, Item, Rng } from '../../harness/contract.ts';
import { joined as join } from '../../harness/kit/index.ts';
import { type Joined, KINDS } from './joined.ts';
import type { ConceptSplit } from './splits.ts';

/** Held-out negatives of a concept, as they are and changed, as places in the concept set's items and those after them. */
export interface Injections {
  base: Uint32Array;
  /** With words of the concept. */
  injected: Uint32Array;
  /** With as many other words. */
  control: Uint32Array;
}

/** Changed texts, numbered after the items of the concept set. */
export interface InjectedTexts {
  items: Item[];
  /** By concept: undefined where no word goes with it. */
  byConcept: (Injections | undefined)[];
  /** By concept: the words put in. */
  words: string[][];
}

/** Injected texts, and after them joined ones. */
export interface ChangedTexts extends InjectedTexts {
  /** By concept; undefined where none were joined. */
  joined: (Joined | undefined)[];
}

/** Changed texts with what was collected of them. */
export interface CollectedTexts extends ChangedTexts {
  activations: ActivationSet;
}

export interface InjectionOptions {
  /** Words put into a text. */
  words: number;
  /** Negatives of each concept that are changed. */
  texts: number;
}

/** By concept, the places of all changed texts. */
export const placesOfChanged = ({ byConcept, joined }: ChangedTexts): Uint32Array[] =>
  byConcept.map((own, c) => {
    const pairs = joined[c];
    const parts = [...(own ? [own.injected, own.control] : []), ...(pairs ? KINDS.map((kind) => pairs[kind]) : [])];
    return join(Uint32Array, parts);
  });

/** Negatives that are changed, of all concepts. */
const MOST_CHANGED = 600;
/** Bytes of the activations of the changed texts, which are held in memory as long as the site. */
const MOST_BYTES = 2 ** 28;

/**
 * How many negatives of each concept are changed: those asked for, and fewer where concepts are many, or texts long and the site
 * wide, as negatives have it on average; one at least.
 */
export function textsOfEach(
  { words, texts }: InjectionOptions,
  splits: readonly Pick<ConceptSplit, 'negatives'>[],
  { bounds, d_in }: Pick<ActivationSet, 'bounds' | 'd_in'>,
): number {
  let [count, rows] = [0, 0];
  for (const { negatives } of splits) {
    count += negatives.length;
    for (const item of negatives) rows += bounds[item + 1]! - bounds[item]!;
  }
  // With words of the concept, and with others.
  const bytes = 2 * (rows / count + words) * d_in * Float32Array.BYTES_PER_ELEMENT;
  const most = Math.floor(Math.min(MOST_CHANGED, MOST_BYTES / bytes) / splits.length);
  return Math.min(texts, Math.max(1, most));
}

/** Share of negatives that still may have a word of the concept: one that most of them have tells nothing. */
const SMOOTHING = 0.5;

/**
 * Changes the first `texts` held-out negatives, in random order, of every concept: each gets the `words` words of the concept, at
 * random places between its words (of the response, where one is marked); and another time as many words that do not go with it.
 */
export function injectWords(
  set: ConceptSet,
  splits: readonly ConceptSplit[],
  { words: count, texts }: InjectionOptions,
  rng: Rng,
): InjectedTexts {
  const items: Item[] = [];
  const words: string[][] = [];
  const byConcept = splits.map((split, c): Injections | undefined => {
    const own = rng.fork(set.concepts[c]!.id);
    const { telling, others } = rankedWords(set.items, split, count, own.fork('others'));
    words.push(telling);
    if (telling.length === 0) return undefined;
    const base = own.fork('texts').shuffle(split.negatives.slice()).slice(0, texts);
    const changed = (name: string, put: readonly string[]) =>
      Uint32Array.from(base, (place) => {
        const item = set.items[place]!;
        const text = withWords(item, put, own.fork(`${name} ${item.id}`));
        items.push({ ...item, id: `${item.id} ${name} ${set.concepts[c]!.id}`, text });
        return set.items.length + items.length - 1;
      });
    return { base, injected: changed('injected', telling), control: changed('control', others) };
  });
  return { items, byConcept, words };
}

/** Words of at least three letters that a text's response has. */
const wordsOf = ({ text = '', responseStart = 0 }: Item): Set<string> =>
  new Set(
    text
      .slice(responseStart)
      .toLowerCase()
      .match(/\p{L}{3,}/gu) ?? [],
  );

/**
 * The words that tell a concept's training positives best from its negatives, by ln of the ratio of the shares of texts
 * that have them (half a text added to each count), of those that two positives have; and as many random ones of the negatives
 * that are not more frequent among positives.
 */
function rankedWords(items: readonly Item[], { train }: ConceptSplit, count: number, rng: Rng) {
  const having = [new Map<string, number>(), new Map<string, number>()];
  const sizes = [0, 0];
  train.items.forEach((place, i) => {
    const label = train.labels[i] === 1 ? 1 : 0;
    sizes[label]!++;
    for (const word of wordsOf(items[place]!)) having[label]!.set(word, (having[label]!.get(word) ?? 0) + 1);
  });
  const share = (word: string, label: 0 | 1) =>
    ((having[label]!.get(word) ?? 0) + SMOOTHING) / (sizes[label]! + 2 * SMOOTHING);
  const ratio = (word: string) => Math.log(share(word, 1) / share(word, 0));
  const found = [...having[1]!]
    .filter(([word, texts]) => texts >= 2 && ratio(word) > 0)
    .map(([word]) => word)
    .sort((a, b) => ratio(b) - ratio(a) || (a < b ? -1 : 1))
    .slice(0, count);
  const plain = [...having[0]!.keys()].filter((word) => ratio(word) <= 0).sort();
  const others = rng.shuffle(plain).slice(0, found.length);
  // As many of the one as of the other: more words alone change a text more.
  return { telling: found.slice(0, others.length), others };
}

/** The text with each word at a random place between two of its words. */
function withWords({ text = '', responseStart = 0 }: Item, words: readonly string[], rng: Rng): string {
  const gaps = [...text.matchAll(/\s+/g)]
    .map((gap) => gap.index + gap[0].length)
    .filter((at) => at > responseStart && at < text.length);
  if (gaps.length === 0) return `${text} ${words.join(' ')}`;
  const places = words.map((word) => ({ word, at: rng.choice(gaps) })).sort((a, b) => b.at - a.at);
  return places.reduce((changed, { word, at }) => `${changed.slice(0, at)}${word} ${changed.slice(at)}`, text);
}
