/** @file The training examples of a concept, checked. */
import { type LabelledActivations, UserError } from '../../harness/contract.ts';

/** What `LabelledActivations.examples` gives. */
export type Examples = ReturnType<LabelledActivations['examples']>;

/**
 * Training examples of concept number `concept`.
 *
 * @throws UserError when it has no positives or no negatives, naming the concept.
 */
export function trainExamples(method: string, labelled: LabelledActivations, concept: number): Examples {
  const examples = labelled.examples(concept, 'train');
  const positives = examples.labels.reduce((sum, label) => sum + label, 0);
  const negatives = examples.labels.length - positives;
  if (positives === 0 || negatives === 0) {
    const { id } = labelled.set.concepts[concept]!;
    throw new UserError(
      `${method}: concept '${id}': expected training positives and negatives, found ${positives} positives and ` +
        `${negatives} negatives; remove the concept or give it examples`,
    );
  }
  return examples;
}

/** The labelled activations of a fit context, which the harness gives to every baseline that needs labels. */
export function requireLabels(method: string, labelled: LabelledActivations | undefined): LabelledActivations {
  if (!labelled) {
    throw new UserError(`${method}: expected a dataset with labelled concepts, found none; choose another dataset`);
  }
  return labelled;
}
