/** @file Parents and children: a child's detector should be silent on its siblings, a parent's fire on all children. */
import type { ConceptSet } from '../../harness/contract.ts';
import type { ConceptSplit } from '../concept-detection/splits.ts';

/** The relatives of one concept. */
export interface Relatives {
  /** Held-out items of concepts of the same parent that do not show this one; none where it has no parent. */
  siblings: Uint32Array;
  /** By child: its held-out items. */
  children: { id: string; positives: Uint32Array }[];
}

/** By concept. Items that trained a concept's detector, or of which nobody knows whether they show it, are left out of its relatives. */
export function relativesOf({ concepts, items }: ConceptSet, splits: readonly ConceptSplit[]): Relatives[] {
  return concepts.map(({ id, parent }, c) => {
    const trained = new Set(splits[c]!.train.items);
    const own = new Set(splits[c]!.positives);
    const isSilent = (place: number) => {
      const { concepts: shown, unknown } = items[place]!;
      return !own.has(place) && shown !== undefined && !shown.includes(id) && !unknown?.includes(id);
    };
    const kin = (belongs: (k: number) => boolean) => concepts.flatMap((_, k) => (k !== c && belongs(k) ? [k] : []));
    const ofSiblings = kin((k) => parent !== undefined && concepts[k]!.parent === parent).flatMap((k) => [
      ...splits[k]!.positives,
    ]);
    return {
      siblings: Uint32Array.from(new Set(ofSiblings.filter((place) => !trained.has(place) && isSilent(place)))),
      children: kin((k) => concepts[k]!.parent === id).flatMap((k) => {
        const positives = splits[k]!.positives.filter((place) => !trained.has(place));
        return positives.length === 0 ? [] : [{ id: concepts[k]!.id, positives }];
      }),
    };
  });
}
