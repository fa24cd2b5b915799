/** @file Labelled items with their activations: which examples a concept has, with labels. */
import type { ConceptSet } from '../contract/data.ts';
import type { LabelledActivations } from '../contract/methods.ts';
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';

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
  return {
    set,
    activations,
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
