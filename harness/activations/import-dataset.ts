/** @file A dataset over imported items: disjoint parts for training, testing and concepts; one concept a class. */
import type { ConceptExample, ConceptSet, Dataset, Item, Split } from '../contract.ts';
import { createRng } from '../num/rng.ts';
import type { ImportedLabels } from './import-labels.ts';

/** Where an item serves. */
type Role = 'corpus train' | 'corpus test' | 'concepts train' | 'concepts eval';

/** Drawn splits put this part into train. */
const TRAIN = 0.65;
/** Of the train items this part, of the test items that part, is left for concepts. */
const CONCEPTS = { train: 0.4, test: 0.6 };
/** A class needs this many concept items in each split. */
const MIN_ITEMS = 2;

export interface ImportedItems {
  name: string;
  fingerprint: string;
  modality: 'text' | 'image';
  n: number;
  labels?: ImportedLabels;
  split?: ('train' | 'test')[];
  embeddings?: { x: Float32Array; width: number; description: string };
}

/** Items by class in a drawn order, so that taking every so-manieth keeps the classes' shares. */
function stratified(classOf: Int32Array, n: number): number[] {
  const order = createRng(0).fork('import split').permutation(n);
  return [...order].sort((a, b) => classOf[a]! - classOf[b]!);
}

/** Whether the i-th of a sequence belongs to a part of `share`, evenly spread. */
const inShare = (i: number, share: number) => Math.floor((i + 1) * share) > Math.floor(i * share);

function roles({ n, labels, split: given }: ImportedItems): Role[] {
  const classOf = labels?.classOf ?? new Int32Array(n);
  const split = given ?? labels?.split;
  const out = new Array<Role>(n);
  const counts = { train: 0, test: 0 };
  for (const [i, item] of stratified(classOf, n).entries()) {
    const part = split ? split[item]! : inShare(i, TRAIN) ? 'train' : 'test';
    const forConcepts = labels !== undefined && inShare(counts[part]++, CONCEPTS[part]);
    if (part === 'train') out[item] = forConcepts ? 'concepts train' : 'corpus train';
    else out[item] = forConcepts ? 'concepts eval' : 'corpus test';
  }
  return out;
}

const conceptId = (c: number) => `class-${c}`;

const labelsOf = (classes: string[], c: number) => ({ labels: { class: classes[c]! }, concepts: [conceptId(c)] });

/** As many others as there are positives, taken round-robin from the other classes. */
function negatives(pools: number[][], own: number, count: number): number[] {
  const others = pools.filter((_, c) => c !== own);
  const chosen: number[] = [];
  for (let i = 0; chosen.length < count && others.some((pool) => i < pool.length); i++) {
    for (const pool of others) if (i < pool.length && chosen.length < count) chosen.push(pool[i]!);
  }
  return chosen;
}

/** The dataset, and what a reader of its results should know. */
export function importedDataset(imported: ImportedItems): { dataset: Dataset; items: Item[]; notes: string[] } {
  const { name, fingerprint, modality, n, labels, embeddings } = imported;
  const items: Item[] = Array.from({ length: n }, (_, i) => ({
    id: `row-${i}`,
    ...(labels && labels.classOf[i]! >= 0 && labelsOf(labels.classes, labels.classOf[i]!)),
  }));
  const roleOf = roles(imported);
  const withRole = (role: Role) => items.filter((_, i) => roleOf[i] === role);
  const dataset: Dataset = {
    id: name,
    modality,
    fingerprint,
    corpus: async (split, count) => withRole(`corpus ${split}`).slice(0, count),
  };
  const notes: string[] = [];
  if (labels) {
    notes.push(labels.origin);
    const pool = (split: Split) =>
      labels.classes.map((_, c) =>
        [...items.keys()].filter((i) => roleOf[i] === `concepts ${split}` && labels.classOf[i] === c),
      );
    const pools = { train: pool('train'), eval: pool('eval') };
    const usable = labels.classes
      .map((_, c) => c)
      .filter((c) => pools.train[c]!.length >= MIN_ITEMS && pools.eval[c]!.length >= MIN_ITEMS);
    const dropped = labels.classes.filter((_, c) => !usable.includes(c));
    if (dropped.length > 0) notes.push(`classes with too few items to be concepts: ${dropped.join(', ')}`);
    if (usable.length > 0) {
      dataset.concepts = async ({ concepts = Infinity, perClass = Infinity }) =>
        conceptSet(labels.classes, usable.slice(0, concepts), pools, items, perClass);
    }
  }
  if (embeddings) {
    const { x, width, description } = embeddings;
    dataset.embed = async (chosen) => {
      const data = new Float32Array(chosen.length * width);
      for (const [i, { id }] of chosen.entries()) {
        const row = Number(id.slice('row-'.length));
        data.set(x.subarray(row * width, (row + 1) * width), i * width);
      }
      return { data, dim: width, description };
    };
  }
  return { dataset, items, notes };
}

function conceptSet(
  classes: string[],
  usable: number[],
  pools: Record<Split, number[][]>,
  items: Item[],
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
  return { concepts, items: [...used.keys()].map((item) => items[item]!), examples };
}
