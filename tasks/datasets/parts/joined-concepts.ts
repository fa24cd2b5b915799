/** @file Concept sets of several sources as one: ids of concepts and items tell their source. */
import type { ConceptSet, Item } from '../../../harness/contract.ts';
import { conceptSetBuilder } from './concept-set-builder.ts';

/** The sets after one another, with at most `most` concepts: of each source in turn, so that few still are of all. */
export function joinedConcepts(
  sets: readonly { id: string; set: ConceptSet }[],
  most = Number.POSITIVE_INFINITY,
): ConceptSet {
  const places = sets.flatMap(({ set }, source) => set.concepts.map((_, place) => ({ source, place })));
  const chosen = places.sort((a, b) => a.place - b.place || a.source - b.source).slice(0, most);
  chosen.sort((a, b) => a.source - b.source || a.place - b.place);
  const builder = conceptSetBuilder(
    chosen.map(({ source, place }) => {
      const { id, set } = sets[source]!;
      const concept = set.concepts[place]!;
      return { ...concept, id: `${id}-${concept.id}` };
    }),
  );
  chosen.forEach(({ source, place }, at) => {
    const { id, set } = sets[source]!;
    for (const { concept, item, split, role } of set.examples) {
      if (concept === place) builder.add(at, split, role, [named(set.items[item]!, id)]);
    }
  });
  return builder.build();
}

/** An item with its source before its id, its concepts and what its labels say. */
function named(item: Item, source: string): Item {
  const { id, concepts, labels } = item;
  const own = (name: string) => `${source}-${name}`;
  return {
    ...item,
    id: own(id),
    ...(concepts && { concepts: concepts.map(own) }),
    ...(labels && { labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, own(value)])) }),
  };
}
