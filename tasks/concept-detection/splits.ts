/** @file Which items train and test the detector of each concept, and the shared extra negatives. */
import { type ConceptSet, type Rng, UserError } from '../../harness/contract.ts';
import { requireBothClasses } from '../../harness/kit/index.ts';

/** Items of one concept, as indices into `ConceptSet.items`. */
export interface ConceptSplit {
  train: { items: Uint32Array; labels: Uint8Array };
  /** Held-out items. */
  positives: Uint32Array;
  negatives: Uint32Array;
  hardNegatives: Uint32Array;
  /** Further held-out negatives for the setting in which positives are rare: negatives of other concepts. */
  extraNegatives: Uint32Array;
}

/**
 * The split of every concept. Extra negatives are drawn once, in one random order for all concepts, from the held-out
 * negatives of all concepts (AxBench §1.3), up to `perPositive` negatives for each positive; an item that is known to
 * show the concept, of which that is unknown, or that trains it, is never one of them.
 *
 * @throws UserError when a concept has no positives or no negatives in a split, or an item stands in both splits.
 */
export function conceptSplits(set: ConceptSet, rng: Rng, perPositive: number): ConceptSplit[] {
  const splits = set.concepts.map((_, c) => ownSplit(set, c));
  const pool = [...new Set(splits.flatMap(({ negatives }) => [...negatives]))].sort((a, b) => a - b);
  rng.shuffle(pool);
  splits.forEach((split, c) => {
    const wanted = Math.max(0, perPositive * split.positives.length - split.negatives.length);
    const excluded = new Set([...split.train.items, ...split.positives, ...split.negatives, ...split.hardNegatives]);
    const { id } = set.concepts[c]!;
    const shows = (item: number) => {
      const { concepts, unknown = [], spans = [] } = set.items[item]!;
      return unknown.includes(id) || (concepts?.includes(id) ?? spans.some(({ concept }) => concept === id));
    };
    const admissible: number[] = [];
    for (let i = 0; i < pool.length && admissible.length < wanted; i++) {
      if (!excluded.has(pool[i]!) && !shows(pool[i]!)) admissible.push(pool[i]!);
    }
    split.extraNegatives = Uint32Array.from(admissible);
  });
  return splits;
}

/** All items of a concept's split, each once. */
export function itemsOf({ train, positives, negatives, hardNegatives, extraNegatives }: ConceptSplit): Uint32Array {
  return Uint32Array.from(new Set([...train.items, ...positives, ...negatives, ...hardNegatives, ...extraNegatives]));
}

function ownSplit(set: ConceptSet, concept: number): ConceptSplit {
  const own = set.examples.filter((example) => example.concept === concept);
  const train = own.filter(({ split, role }) => split === 'train' && role !== 'hard-negative');
  const heldOut = (role: string) =>
    Uint32Array.from(
      own.filter((example) => example.split === 'eval' && example.role === role),
      ({ item }) => item,
    );
  const split: ConceptSplit = {
    train: {
      items: Uint32Array.from(train, ({ item }) => item),
      labels: Uint8Array.from(train, ({ role }) => (role === 'positive' ? 1 : 0)),
    },
    positives: heldOut('positive'),
    negatives: heldOut('negative'),
    hardNegatives: heldOut('hard-negative'),
    extraNegatives: new Uint32Array(0),
  };
  const heldOutLabels = [...split.positives.map(() => 1), ...split.negatives.map(() => 0)];
  requireBothClasses('concept-detection', set.concepts[concept]!, 'training', split.train.labels);
  requireBothClasses('concept-detection', set.concepts[concept]!, 'held-out', heldOutLabels);
  const trained = new Set(split.train.items);
  const leaked = [...split.positives, ...split.negatives, ...split.hardNegatives].find((item) => trained.has(item));
  if (leaked !== undefined) {
    throw new UserError(
      `concept-detection: concept '${set.concepts[concept]!.id}': item '${set.items[leaked]!.id}' is in both splits; ` +
        'expected disjoint training and held-out items',
    );
  }
  return split;
}
