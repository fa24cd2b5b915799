/** @file Builds a concept set: items numbered as they come, examples pointing at them. */
import type { Concept, ConceptSet, Item, Role, Split } from '../../../harness/contract.ts';

export interface ConceptSetBuilder {
  /** Adds items as examples of one concept. An item already added (same id) is used again, not repeated. */
  add(concept: number, split: Split, role: Role, items: Iterable<Item>): void;
  build(): ConceptSet;
}

/** A builder over these concepts; examples name a concept by its place among them. */
export function conceptSetBuilder(concepts: readonly Concept[]): ConceptSetBuilder {
  const set: ConceptSet = { concepts: [...concepts], items: [], examples: [] };
  const places = new Map<string, number>();
  return {
    add(concept, split, role, items) {
      for (const item of items) {
        let place = places.get(item.id);
        if (place === undefined) {
          place = set.items.push(item) - 1;
          places.set(item.id, place);
        }
        set.examples.push({ concept, item: place, split, role });
      }
    },
    build: () => set,
  };
}

/** Remembers the concept set of each limits asked for: it is needed for collecting and again for scoring. */
export function rememberSets<L extends object>(
  make: (limits: L) => Promise<ConceptSet>,
): (limits: L) => Promise<ConceptSet> {
  const made = new Map<string, Promise<ConceptSet>>();
  return (limits) => {
    const key = JSON.stringify(limits);
    const set = made.get(key) ?? make(limits);
    made.set(key, set);
    return set;
  };
}
