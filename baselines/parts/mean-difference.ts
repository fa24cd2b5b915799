/** @file The fit of methods that are a difference of class means: they differ in what counts once. */
import type { FitContext, FittedState } from '../../harness/contract.ts';
import { type MeanOver, meanDifferences } from '../../harness/kit/index.ts';
import { storeDirections } from './concept-directions.ts';
import { requireLabels, trainExamples } from './train-examples.ts';

/** Mean of positives less mean of negatives for every concept, scaled to length 1; one pass over the activations. */
export async function fitMeanDifference(
  method: string,
  over: MeanOver,
  { labelled: given, activations, signal, progress }: FitContext<unknown>,
): Promise<FittedState> {
  const labelled = requireLabels(method, given);
  const { concepts } = labelled.set;
  const places = [...concepts.keys()];
  for (const concept of places) trainExamples(method, labelled, concept);
  const vectors = await meanDifferences(labelled, places, { over, signal, progress });
  return storeDirections(method, { concepts, vectors }, activations.d_in);
}
