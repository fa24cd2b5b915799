/**
 * @file Labelled examples: those whose evidence a subject sees, since what its context may cut away teaches and tests nothing;
 * and with their activations, as methods and tasks read them.
 */
import type { ConceptExample, ConceptSet, Item } from '../contract/data.ts';
import type { LabelledActivations } from '../contract/methods.ts';
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';

export interface WholeExamples {
  set: ConceptSet;
  /** What was left out, in words; none where nothing was. */
  notes: string[];
}

/**
 * Whether an example keeps its label although its text is cut: a positive, when a place of its concept lies within what
 * is seen; a negative, when all places of concepts are known; never a hard negative, which is one by all it says.
 */
function keepsLabel({ role }: ConceptExample, concept: string, { spans }: Item, seen: number): boolean {
  if (spans === undefined || role === 'hard-negative') return false;
  return role === 'negative' || spans.some((span) => span.concept === concept && span.end <= seen);
}

/** Concepts that have what training and scoring need: positive and negative examples in both splits. */
function scorable(examples: readonly ConceptExample[]): Set<number> {
  const found = new Set(examples.map(({ concept, split, role }) => `${concept} ${split} ${role}`));
  const needed = ['train positive', 'train negative', 'eval positive', 'eval negative'];
  const concepts = new Set(examples.map(({ concept }) => concept));
  return new Set([...concepts].filter((concept) => needed.every((part) => found.has(`${concept} ${part}`))));
}

/** The set of some examples: only the items and concepts that they name, numbered anew. */
function narrowed({ concepts, items }: ConceptSet, examples: readonly ConceptExample[]): ConceptSet {
  const placesOf = (used: Iterable<number>) =>
    new Map([...new Set(used)].sort((a, b) => a - b).map((old, i) => [old, i]));
  const itemPlaces = placesOf(examples.map(({ item }) => item));
  const conceptPlaces = placesOf(examples.map(({ concept }) => concept));
  return {
    concepts: [...conceptPlaces.keys()].map((old) => concepts[old]!),
    items: [...itemPlaces.keys()].map((old) => items[old]!),
    examples: examples.map((example) => ({
      ...example,
      concept: conceptPlaces.get(example.concept)!,
      item: itemPlaces.get(example.item)!,
    })),
  };
}

/**
 * Leaves out the examples whose evidence may be cut away, and concepts that have none left of a kind.
 *
 * @param seenOf Characters of a text that the subject sees, undefined for all of them.
 * @param subject For messages.
 * @throws UserError when no concept is left.
 */
export function wholeExamples(
  set: ConceptSet,
  seenOf: (text: string) => number | undefined,
  subject: string,
): WholeExamples {
  const seen = set.items.map(({ text, caption }) => seenOf(text ?? caption ?? ''));
  const kept = set.examples.filter((example) => {
    const limit = seen[example.item];
    const item = set.items[example.item]!;
    return limit === undefined || keepsLabel(example, set.concepts[example.concept]!.id, item, limit);
  });
  const cut = set.examples.length - kept.length;
  if (cut === 0) return { set, notes: [] };
  const before = scorable(set.examples);
  const after = scorable(kept);
  // A concept that lacked examples from the start is refused later, by name.
  const examples = kept.filter(({ concept }) => after.has(concept) || !before.has(concept));
  const gone = [...before].filter((concept) => !after.has(concept));
  if (gone.length > 0 && after.size === 0) {
    throw new UserError(
      `subject ${subject}: its context cuts ${cut} of ${set.examples.length} labelled examples, which leaves no concept ` +
        'with positive and negative examples: shorten the texts, or take a subject with a longer context.',
    );
  }
  const places =
    gone.length === 0 ? '' : `, and with them the concepts ${named(gone.map((place) => set.concepts[place]!.id))}`;
  const note = `${cut} of ${set.examples.length} labelled examples left out${places}: the context cuts their texts, and with them perhaps what shows their concept`;
  return { set: narrowed(set, examples), notes: [note] };
}

/** Names in a sentence: the first of many. */
function named(ids: readonly string[]): string {
  const shown = ids.slice(0, 5).join(', ');
  return ids.length > 5 ? `${shown} and ${ids.length - 5} more` : shown;
}

/**
 * @throws UserError when a concept has no positive or no negative example to train on or to be scored on: such a
 * concept has no AUROC.
 */
export function labelledActivations(set: ConceptSet, activations: ActivationSet): LabelledActivations {
  for (const [index, concept] of set.concepts.entries()) {
    for (const split of ['train', 'eval'] as const) {
      const roles = set.examples
        .filter((example) => example.concept === index && example.split === split)
        .map(({ role }) => role);
      for (const role of ['positive', 'negative'] as const) {
        if (roles.includes(role)) continue;
        throw new UserError(
          `concept '${concept.id}': expected at least one ${role} example in the ${split} split; found none among its ` +
            `${roles.length}. Add examples, or leave the concept out.`,
        );
      }
    }
  }
  const groups = activations.groups ?? groupsOf(set.items);
  return {
    set,
    activations: groups ? { ...activations, groups } : activations,
    examples(concept, split, { hardNegatives = false } = {}) {
      const chosen = set.examples.filter(
        (example) =>
          example.concept === concept && example.split === split && (hardNegatives || example.role !== 'hard-negative'),
      );
      return {
        items: Uint32Array.from(chosen, ({ item }) => item),
        labels: Uint8Array.from(chosen, ({ role }) => (role === 'positive' ? 1 : 0)),
      };
    },
  };
}

/** A number for each named group, and for each item that is in none; undefined where no item is in one. */
function groupsOf(items: readonly Item[]): Uint32Array | undefined {
  if (items.every(({ group }) => group === undefined)) return undefined;
  const numbers = new Map<string, number>();
  return Uint32Array.from(items, ({ id, group }) => {
    const name = JSON.stringify(group === undefined ? { id } : { group });
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  });
}
