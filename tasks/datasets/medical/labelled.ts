/** @file Labelled medical texts, whatever set they are from: which concepts each shows, and of which nobody said. */
import type { Concept, Item, Split } from '../../../harness/contract.ts';
import { createRng } from '../../../harness/kit/index.ts';
import type { conceptSetBuilder } from '../parts/concept-set-builder.ts';
import { matched } from '../parts/labelled-texts.ts';
import { type Shares, useOf } from '../parts/partition.ts';

/** A text of one split with the concepts it shows; of those of its own set that it does not name it is a negative. */
export interface MedicalText {
  item: Item;
  split: Split;
  shows: readonly string[];
  /** Ids of concepts that it is a hard negative of, in place of a negative. */
  hard?: readonly string[];
}

/** One labelled set: its concepts, and the texts on which all of them are known. */
export interface MedicalSet {
  concepts: Concept[];
  texts: MedicalText[];
}

/** Training and held-out texts, 10 to 6, by what they say. */
const SHARES: Shares<Split> = [
  ['train', 10],
  ['eval', 6],
];

export const splitOf = (text: string): Split => useOf(text, SHARES);

const words = (text: string): number => text.split(/\s+/).length;

/** A plain id: letters and digits, the rest as dashes. */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** Examples a concept needs of each class and split: fewer tell nothing. */
const LEAST = 6;

/**
 * Adds a set's examples: positives drawn at random, as many negatives, each the closest in length of some, and all hard
 * negatives (held-out ones, up to as many).
 *
 * @returns Ids of concepts that have too few examples and get none.
 */
export function addExamples(
  builder: ReturnType<typeof conceptSetBuilder>,
  set: MedicalSet,
  placeOf: (id: string) => number | undefined,
  sizes: Record<Split, number>,
  seed: number,
): void {
  for (const { id } of set.concepts) {
    const place = placeOf(id);
    if (place === undefined) continue;
    for (const split of ['train', 'eval'] as const) {
      const rng = createRng(seed).fork(`medical ${id} ${split}`);
      const own = set.texts.filter((text) => text.split === split && !text.item.unknown?.includes(id));
      const entry = ({ item }: MedicalText) => ({ item, words: words(item.text!) });
      const positives = own.filter(({ shows }) => shows.includes(id)).map(entry);
      const negatives = own.filter(({ shows, hard }) => !shows.includes(id) && !hard?.includes(id)).map(entry);
      const n = Math.min(sizes[split], positives.length, negatives.length);
      const drawn = Array.from(rng.sample(positives.length, n), (at) => positives[at]!);
      builder.add(
        place,
        split,
        'positive',
        drawn.map(({ item }) => item),
      );
      builder.add(place, split, 'negative', matched(drawn, negatives, rng));
      if (split === 'train') continue;
      const hard = rng.shuffle(own.filter((text) => text.hard?.includes(id)));
      builder.add(
        place,
        'eval',
        'hard-negative',
        hard.slice(0, sizes.eval).map(({ item }) => item),
      );
    }
  }
}

/** The concepts of a set that have enough examples. */
export function wellShown({ concepts, texts }: MedicalSet): Concept[] {
  return concepts.filter(({ id }) =>
    (['train', 'eval'] as const).every((split) => {
      const own = texts.filter((text) => text.split === split && !text.item.unknown?.includes(id));
      const shown = own.filter(({ shows }) => shows.includes(id)).length;
      const other = own.filter(({ shows, hard }) => !shows.includes(id) && !hard?.includes(id)).length;
      return shown >= LEAST && other >= LEAST;
    }),
  );
}
