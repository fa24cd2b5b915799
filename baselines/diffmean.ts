/** @file Difference of means: the mean token of positives less the mean token of negatives. */
import { defineBaseline } from '../harness/contract.ts';
import { restoreDirections } from './parts/concept-directions.ts';
import { fitMeanDifference } from './parts/mean-difference.ts';

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
  fit: (context) => fitMeanDifference('diffmean', 'rows', context),
  restore: (state, { d_in }) => restoreDirections(state, d_in),
});
