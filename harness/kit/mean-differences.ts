/** @file The difference of means of each concept. */
import type { LabelledActivations } from '../contract/methods.ts';
import { SCAN_ROWS, scanKept } from './kept-rows.ts';

/** Running sum of the kept rows of one class of one concept. */
interface ClassSum {
  weight: number;
  sum: Float64Array;
}

const emptySum = (d: number): ClassSum => ({ weight: 0, sum: new Float64Array(d) });

/** What counts once: every kept row, every item (by the mean of its kept rows), or every item by its last kept row. */
export type MeanOver = 'rows' | 'items' | 'last rows';

interface MeanOptions {
  /** Default `rows`: an item counts as often as it has rows. */
  over?: MeanOver;
  signal?: AbortSignal;
  progress?: (items: number, total: number) => void;
}

/**
 * Mean kept row of a concept's positive training items less that of its negative ones, [d_in] for each listed concept, not
 * scaled; each is a mean over what `over` says. One pass over the activations for all concepts, in float64. A concept
 * needs examples of both classes ({@link requireBothClasses}).
 */
export async function meanDifferences(
  { activations, examples }: LabelledActivations,
  concepts: readonly number[],
  options: MeanOptions = {},
): Promise<Float64Array[]> {
  const { over = 'rows' } = options;
  const { d_in, bounds } = activations;
  const total = bounds.length - 1;
  const sums = concepts.map(() => [emptySum(d_in), emptySum(d_in)] as const);
  const used: ClassSum[][] = Array.from({ length: total }, () => []);
  concepts.forEach((concept, c) => {
    const { items, labels } = examples(concept, 'train');
    items.forEach((item, i) => {
      used[item]!.push(sums[c]![labels[i] as 0 | 1]);
    });
  });
  for await (const batch of scanKept(activations, SCAN_ROWS)) {
    options.signal?.throwIfAborted();
    for (let i = 0; i < batch.items; i++) {
      const [start, end] = [batch.bounds[i]!, batch.bounds[i + 1]!];
      const first = over === 'last rows' ? Math.max(start, end - 1) : start;
      const weight = over === 'items' ? 1 / (end - start) : 1;
      for (const target of used[batch.firstItem + i]!) {
        for (let row = first; row < end; row++) addRow(target, batch.x, row * d_in, weight);
      }
    }
    options.progress?.(batch.firstItem + batch.items, total);
  }
  return sums.map(([negative, positive]) =>
    positive.sum.map((value, i) => value / positive.weight - negative.sum[i]! / negative.weight),
  );
}

function addRow(target: ClassSum, x: Float32Array, at: number, weight: number): void {
  const { sum } = target;
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + weight * x[at + i]!;
  target.weight += weight;
}
