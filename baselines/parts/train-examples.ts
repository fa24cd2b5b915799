/** @file The training examples of a concept, checked. */
import { type LabelledActivations, UserError } from '../../harness/contract.ts';
import { requireBothClasses } from '../../harness/kit/index.ts';

/** What `LabelledActivations.examples` gives. */
export type Examples = ReturnType<LabelledActivations['examples']>;

/**
 * Training examples of concept number `concept`.
 *
 * @throws UserError when it has no positives or no negatives, naming the concept.
 */
export function trainExamples(method: string, labelled: LabelledActivations, concept: number): Examples {
  const examples = labelled.examples(concept, 'train');
  requireBothClasses(method, labelled.set.concepts[concept]!, 'training', examples.labels);
  return examples;
}

/** The labelled activations of a fit context, which the harness gives to every baseline that needs labels. */
export function requireLabels(method: string, labelled: LabelledActivations | undefined): LabelledActivations {
  if (!labelled) {
    throw new UserError(`${method}: expected a dataset with labelled concepts, found none; choose another dataset`);
  }
  return labelled;
}
