/** @file The optimiser of one run, as the variant and the training options want it. */
import type { SaeDefinition, TrainingOptions } from '../contract.ts';
import { type Adam, createAdam } from '../num/optimiser.ts';
import type { Variable } from '../num/tf.ts';

/** Adam over the parameters of a variant, keeping the rows on the unit sphere that it names. */
export function adamFor<H>(
  definition: SaeDefinition<H>,
  hp: H,
  { beta1, beta2, epsilon, weightDecay, clip }: TrainingOptions,
  params: Record<string, Variable>,
): Adam {
  const unitRows = definition.unitRows?.(hp) ?? [];
  return createAdam(params, { beta1, beta2, epsilon, weightDecay, unitRows, ...(clip > 0 && { clipNorm: clip }) });
}
