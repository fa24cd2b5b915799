/** @file The difference of means of each concept: the length that a direction without a score of its own steers with. */
import type { LabelledActivations } from '../../harness/contract.ts';
import { scanKept } from '../../harness/kit/index.ts';

const SCAN_ROWS = 4096;

/**
 * Mean kept row of a concept's positive training items less that of its negative ones, [d_in] for each listed concept:
 * DiffMean's direction, not scaled.
 */
export async function meanDifferences(
  { activations, examples }: LabelledActivations,
  concepts: readonly number[],
): Promise<Float32Array[]> {
  const { d_in } = activations;
  const classes = concepts.map((concept) => {
    const { items, labels } = examples(concept, 'train');
    return new Map(Array.from(items, (item, i) => [item, labels[i]!]));
  });
  const sums = concepts.map(() => [new Float64Array(d_in), new Float64Array(d_in)] as const);
  const rows = concepts.map(() => [0, 0] as [number, number]);
  for await (const batch of scanKept(activations, SCAN_ROWS)) {
    for (let i = 0; i < batch.items; i++) {
      for (const [c, labels] of classes.entries()) {
        const label = labels.get(batch.firstItem + i);
        if (label !== 0 && label !== 1) continue;
        const sum = sums[c]![label];
        for (let at = batch.bounds[i]! * d_in; at < batch.bounds[i + 1]! * d_in; at++) sum[at % d_in]! += batch.x[at]!;
        rows[c]![label] += batch.bounds[i + 1]! - batch.bounds[i]!;
      }
    }
  }
  return sums.map(([without, having], c) =>
    Float32Array.from(having, (sum, j) => sum / rows[c]![1] - without[j]! / rows[c]![0]),
  );
}
