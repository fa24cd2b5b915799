/** @file Texts in which two concepts come together: combinations that no training text has. */
import type { ConceptSet, Item, Rng } from '../../harness/contract.ts';
import type { ConceptSplit } from './splits.ts';

/** Joined texts of a concept, as places after those of the items before them; each kind has as many. */
export interface Joined {
  /** A held-out positive, and behind it a held-out positive of another concept. */
  both: Uint32Array;
  /** A held-out negative, and behind it the same positive of the other. */
  other: Uint32Array;
  /** A held-out positive, and behind it a held-out negative. */
  alone: Uint32Array;
  /** Two held-out negatives. */
  neither: Uint32Array;
}

export const KINDS = ['both', 'other', 'alone', 'neither'] as const;

/** Words of the response that each half keeps: joined, they are about as long as texts are. */
const HALF = 32;
/** Joined texts of all concepts. */
const MOST = 640;

/**
 * Joins the texts of each concept with those of the next one. What is known to show the first concept, or may do so, is no second half.
 *
 * @param texts Of each kind and concept, at most.
 * @param first The place of the first joined text.
 */
export function joinTexts(
  set: ConceptSet,
  splits: readonly ConceptSplit[],
  texts: number,
  first: number,
  rng: Rng,
): { items: Item[]; byConcept: (Joined | undefined)[] } {
  const items: Item[] = [];
  const most = Math.min(texts, Math.max(2, Math.floor(MOST / KINDS.length / splits.length)));
  const byConcept = splits.map((split, c): Joined | undefined => {
    const next = (c + 1) % splits.length;
    if (next === c || texts === 0) return undefined;
    const { id } = set.concepts[c]!;
    const own = rng.fork(id);
    const shown = new Set(split.positives);
    const drawn = (name: string, places: Uint32Array) => [...own.fork(name).shuffle(places.slice())];
    const shows = (place: number) => {
      const { concepts, unknown } = set.items[place]!;
      return shown.has(place) || concepts?.includes(id) === true || unknown?.includes(id) === true;
    };
    const positives = drawn('positives', split.positives);
    const negatives = drawn('negatives', split.negatives);
    const others = drawn('others', splits[next]!.positives).filter((place) => !shows(place));
    const n = Math.min(most, positives.length, Math.floor(negatives.length / 2), others.length);
    if (n < 2) return undefined;
    const [begin, end] = [negatives.slice(0, n), negatives.slice(n, 2 * n)];
    const joined = (name: string, heads: readonly number[], tails: readonly number[]) =>
      Uint32Array.from({ length: n }, (_, i) => {
        items.push(joinedItem(set.items[heads[i]!]!, set.items[tails[i]!]!, `${name} ${id}`));
        return first + items.length - 1;
      });
    return {
      both: joined('both', positives, others),
      other: joined('other', begin, others),
      alone: joined('alone', positives, end),
      neither: joined('neither', begin, end),
    };
  });
  return { items, byConcept };
}

const cut = (text: string): string => text.trim().split(/\s+/).slice(0, HALF).join(' ');

/** The prompt of the first, where it has one, and the beginnings of both responses. */
function joinedItem(head: Item, tail: Item, name: string): Item {
  const response = ({ text = '', responseStart = 0 }: Item) => cut(text.slice(responseStart));
  const prompt = (head.text ?? '').slice(0, head.responseStart ?? 0);
  const { responseStart } = head;
  return {
    id: `${head.id} + ${tail.id} ${name}`,
    text: `${prompt}${response(head)}\n\n${response(tail)}`,
    ...(responseStart === undefined ? {} : { responseStart }),
  };
}
