/** @file A dataset over imported items: disjoint parts for training, testing and concepts; one concept a class. */
import type { ConceptExample, ConceptSet, Dataset, Item, Split } from '../contract.ts';
import { UserError } from '../errors.ts';
import { sha256Json } from '../io/hash.ts';
import { createRng } from '../num/rng.ts';
import { DRAW_VERSION, type Draw, type DrawNeeds, drawItems } from './import-draw.ts';
import type { ImportGroups } from './import-groups.ts';
import type { ItemFacts } from './import-labels.ts';

/** A class needs this many concept items in each split. */
const MIN_ITEMS = 2;
/** From so many items on, a class has {@link MIN_ITEMS} in each. */
const USABLE_ITEMS = 10;
/** Items of a class that concepts get in each split where a suite does not say: an AUROC is then known to about ±.04. */
const DEFAULT_PER_CLASS = 200;
/** Held-out items where nothing says how many. */
const DEFAULT_TEST = 500;
/** Names that a note lists. */
const SHOWN = 8;

/** What a run wants of an import; all of it decides which items serve what. */
export interface ImportNeeds {
  /** Seed of the draw. Default 0. */
  seed?: number;
  /** Held-out items. Default 500. */
  test?: number;
  /** At most so many concepts, and items of a class in each split. Default: all, and 200. */
  concepts?: { concepts?: number; perClass?: number };
}

export interface ImportedItems extends ItemFacts {
  name: string;
  /** Over everything that was read. */
  fingerprint: string;
  modality: 'text' | 'image';
  n: number;
  groups: ItemFacts['groups'];
  together: ImportGroups;
  texts?: string[];
  embeddings?: { x: Float32Array; width: number; description: string };
}

export interface ImportedDataset {
  dataset: Dataset;
  /** Items that may be trained on. */
  trainable: number;
  notes: string[];
}

const conceptId = (c: number) => `class-${c}`;
const itemId = (i: number) => `row-${i}`;

/** Number of the item of that id. @throws Error for an id that is none of an import of `n` items. */
export function itemNumber(id: string, n: number): number {
  const number = /^row-(\d+)$/.exec(id)?.[1];
  if (number === undefined || Number(number) >= n) throw new Error(`activations: no item '${id}' was imported`);
  return Number(number);
}

const listed = (names: string[]) =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ');

/** As many others as there are positives, taken round-robin from the other classes. */
function negatives(pools: number[][], own: number, count: number): number[] {
  const others = pools.filter((_, c) => c !== own);
  const chosen: number[] = [];
  for (let i = 0; chosen.length < count && others.some((pool) => i < pool.length); i++) {
    for (const pool of others) if (i < pool.length && chosen.length < count) chosen.push(pool[i]!);
  }
  return chosen;
}

/** Classes in the order in which they become concepts: drawn, so that no order of names or numbers is favoured. */
const classOrder = (classes: number, seed: number): number[] => [
  ...createRng(seed).fork('import concepts').permutation(classes),
];

/** Which classes are to be concepts, and how many items of each are wanted in a split. */
interface Wanted {
  /** Classes with enough items, in the order in which they become concepts. */
  large: number[];
  asked: Set<number>;
  /** All that are asked for, or the class's part of negatives. */
  perClass(c: number): number;
}

function wantedOf(
  classOf: Int32Array,
  order: readonly number[],
  { concepts = Infinity, perClass = DEFAULT_PER_CLASS }: NonNullable<ImportNeeds['concepts']>,
): Wanted {
  const counts = new Uint32Array(order.length);
  for (const c of classOf) if (c >= 0) counts[c]!++;
  const large = order.filter((c) => counts[c]! >= USABLE_ITEMS);
  const asked = new Set(large.slice(0, concepts));
  const asNegatives = Math.ceil(perClass / Math.max(1, order.length - 1));
  return { large, asked, perClass: (c) => (asked.has(c) ? perClass : asNegatives) };
}

function describeDraw({ pools, straddling }: Draw, imported: ImportedItems, seed: number): string[] {
  const { n, together, groups, split } = imported;
  const count = (role: keyof typeof pools) => pools[role].length;
  const ofConcepts = count('concepts train') + count('concepts eval');
  const notes = [
    `${split ? 'split as given' : `split drawn with seed ${seed}, by class`}: of ${n} items ${count('corpus train')} to train on, ` +
      `${count('corpus test')} to test on${ofConcepts > 0 ? `, ${count('concepts train')} + ${count('concepts eval')} for concepts` : ''}`,
  ];
  if (together.copies > 0) {
    notes.push(
      `${together.copies} of ${n} items repeat another: copies never lie on both sides of a split, and tests and concepts hold one of them`,
    );
  }
  if (groups) notes.push(`${groups.origin}: ${together.groups}, none on both sides of a split`);
  if (straddling > 0) notes.push(`${straddling} training items left out, whose copy or group is in the test split`);
  return notes;
}

/**
 * The dataset, and what a reader of its results should know.
 *
 * @throws UserError for too few items, or too few groups, to have some to train on and some to test on.
 */
export function importedDataset(imported: ImportedItems, needs: ImportNeeds): ImportedDataset {
  const { name, modality, n, labels, embeddings } = imported;
  const { seed = 0, test = DEFAULT_TEST, concepts: limits = {} } = needs;
  const classes = labels?.classes.length ?? 0;
  const classOf = labels?.classOf ?? new Int32Array(n).fill(-1);
  const order = classOrder(classes, seed);
  const wanted = wantedOf(classOf, order, limits);
  const drawNeeds: DrawNeeds = { seed, test, perClass: wanted.perClass };
  const draw = drawItems(
    { n, classes, classOf, groups: imported.together, ...(imported.split && { split: imported.split }) },
    drawNeeds,
  );
  const { pools } = draw;
  if (pools['corpus train'].length === 0 || pools['corpus test'].length === 0) {
    throw new UserError(
      `activations ${name}: expected items enough to train and to test on, found ${n} items that fall into ` +
        `${imported.together.units} groups of copies, of one text or of one name.`,
    );
  }
  const labelsOf = labels?.classes.map((label, c) => ({ labels: { class: label }, concepts: [conceptId(c)] }));
  const { texts } = imported;
  const textOf = (i: number) => (texts ? { text: texts[i]! } : {});
  const itemOf = (i: number): Item => ({
    id: itemId(i),
    ...textOf(i),
    ...(classOf[i]! >= 0 && labelsOf![classOf[i]!]),
  });
  const dataset: Dataset = {
    id: name,
    modality,
    fingerprint: sha256Json({ version: DRAW_VERSION, data: imported.fingerprint, seed, test, limits }),
    // In the order of the rows: they are read in few pieces, and nothing takes the first of them.
    corpus: async (split, count) => [...pools[`corpus ${split}`].slice(0, count)].sort((a, b) => a - b).map(itemOf),
  };
  const notes = [...describeDraw(draw, imported, seed)];
  if (imported.unread.length > 0) notes.push(`not read: ${listed(imported.unread)}`);
  if (labels) {
    notes.unshift(labels.origin);
    const byClass = (role: 'concepts train' | 'concepts eval') => {
      const lists = labels.classes.map((): number[] => []);
      for (const i of pools[role]) lists[classOf[i]!]!.push(i);
      return lists;
    };
    const ofConcepts = { train: byClass('concepts train'), eval: byClass('concepts eval') };
    const enough = (c: number, split: Split) => ofConcepts[split][c]!.length >= MIN_ITEMS;
    const usable = order.filter((c) => enough(c, 'train') && enough(c, 'eval'));
    const chosen = (most = Infinity) => usable.slice(0, most).sort((a, b) => a - b);
    // A class that was not drawn has few items for concepts because few are wanted of it.
    const undrawn = (c: number) => wanted.large.includes(c) && !wanted.asked.has(c);
    const dropped = labels.classes.filter((_, c) => !usable.includes(c) && !undrawn(c));
    if (dropped.length > 0) notes.push(`classes with too few items to be concepts: ${listed(dropped)}`);
    const others = (split: Split) => ofConcepts[split].filter((pool) => pool.length > 0).length > 1;
    if (usable.length > 0 && others('train') && others('eval')) {
      dataset.concepts = async ({ concepts, perClass = Infinity }) =>
        conceptSet(labels.classes, chosen(concepts), ofConcepts, itemOf, perClass);
      const names = chosen(limits.concepts).map((c) => labels.classes[c]!);
      if (names.length < wanted.large.length) {
        notes.push(
          `concepts: ${names.length} of ${wanted.large.length} classes with enough items, drawn with seed ${seed}: ${listed(names)}`,
        );
      }
    }
  }
  if (embeddings) {
    const { x, width, description } = embeddings;
    dataset.embed = async (chosen) => {
      const data = new Float32Array(chosen.length * width);
      for (const [i, { id }] of chosen.entries()) {
        const row = itemNumber(id, n);
        data.set(x.subarray(row * width, (row + 1) * width), i * width);
      }
      return { data, dim: width, description };
    };
  }
  return { dataset, trainable: pools['corpus train'].length, notes };
}

function conceptSet(
  classes: string[],
  usable: number[],
  pools: Record<Split, number[][]>,
  itemOf: (i: number) => Item,
  perClass: number,
): ConceptSet {
  const used = new Map<number, number>();
  const numberOf = (item: number) => {
    if (!used.has(item)) used.set(item, used.size);
    return used.get(item)!;
  };
  const examples: ConceptExample[] = [];
  for (const [concept, c] of usable.entries()) {
    for (const split of ['train', 'eval'] as const) {
      const positives = pools[split][c]!.slice(0, perClass);
      const others = negatives(pools[split], c, positives.length);
      for (const item of positives) examples.push({ concept, item: numberOf(item), split, role: 'positive' });
      for (const item of others) examples.push({ concept, item: numberOf(item), split, role: 'negative' });
    }
  }
  const concepts = usable.map((c) => ({ id: conceptId(c), label: classes[c]! }));
  return { concepts, items: [...used.keys()].map(itemOf), examples };
}
