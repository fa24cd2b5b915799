/** @file Difference of means: the mean token of positives less the mean token of negatives. */
import { defineBaseline } from '../harness/contract.ts';
import { restoreDirections, storeDirections } from './parts/concept-directions.ts';
import { requireLabels, trainExamples } from './parts/train-examples.ts';

const SCAN_ROWS = 4096;

/** Running sum of the kept rows of one class of one concept. */
interface ClassSum {
  rows: number;
  sum: Float64Array;
}

/**
 * w = mean over all kept tokens of positives − mean over all kept tokens of negatives, scaled to length 1. Token-weighted:
 * a long text counts more (AxBench §3, Marks & Tegmark 2023). One pass over the activations for all concepts.
 */
export default defineBaseline<Record<string, never>>({
  id: 'diffmean',
  title: 'Difference of means (DiffMean)',
  paper: 'Marks & Tegmark 2023, arXiv:2310.06824; Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: {},
  needs: 'labels',
  seeded: false,
  async fit({ labelled: given, activations, signal, progress }) {
    const labelled = requireLabels('diffmean', given);
    const { d_in, keep, bounds } = labelled.activations;
    const { concepts, items } = labelled.set;
    const sums = concepts.map(() => [emptySum(d_in), emptySum(d_in)] as const);
    const used: ClassSum[][] = items.map(() => []);
    concepts.forEach((_, c) => {
      const examples = trainExamples('diffmean', labelled, c);
      examples.items.forEach((item, i) => {
        used[item]!.push(sums[c]![examples.labels[i] as 0 | 1]);
      });
    });
    for await (const batch of labelled.activations.scan(SCAN_ROWS)) {
      signal?.throwIfAborted();
      for (let item = batch.firstItem; item < batch.firstItem + batch.items; item++) {
        for (let row = bounds[item]!; used[item]!.length > 0 && row < bounds[item + 1]!; row++) {
          if (keep[row] !== 1) continue;
          const at = (row - batch.firstRow) * d_in;
          for (const target of used[item]!) addRow(target, batch.x, at);
        }
      }
      progress(batch.firstItem + batch.items, items.length);
    }
    const vectors = sums.map(([negative, positive]) =>
      positive.sum.map((value, i) => value / positive.rows - negative.sum[i]! / negative.rows),
    );
    return storeDirections('diffmean', { concepts, vectors }, activations.d_in);
  },
  restore: (state, { d_in }) => restoreDirections(state, d_in),
});

function emptySum(d: number): ClassSum {
  return { rows: 0, sum: new Float64Array(d) };
}

function addRow(target: ClassSum, x: Float32Array, at: number): void {
  const { sum } = target;
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + x[at + i]!;
  target.rows++;
}
