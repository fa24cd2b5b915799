/** @file A concept's examples have positives and negatives, or the user is told which concept has not. */
import { UserError } from '../errors.ts';
import { type ClassCounts, countClasses } from '../num/classes.ts';

/**
 * Counts the labels (1 positive, 0 negative) of a concept's examples.
 *
 * @param who Method or task that needs them.
 * @param kind Which examples they are.
 * @throws UserError when there are no positives or no negatives, naming the concept.
 */
export function requireBothClasses(
  who: string,
  concept: { id: string },
  kind: 'training' | 'held-out',
  labels: ArrayLike<number>,
): ClassCounts {
  const counts = countClasses(labels);
  if (counts.both) return counts;
  throw new UserError(
    `${who}: concept '${concept.id}': expected ${kind} positives and negatives, found ${counts.positives} positives and ` +
      `${counts.negatives} negatives; remove the concept or give it examples`,
  );
}
