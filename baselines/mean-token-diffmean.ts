/** @file Difference of means over texts: each text counts once, by the mean of its tokens. */
import { defineBaseline } from '../harness/contract.ts';
import { restoreDirections } from './parts/concept-directions.ts';
import { fitMeanDifference } from './parts/mean-difference.ts';

/**
 * w = mean over positive items of the mean of their kept tokens − the same over negative items, scaled to length 1. It
 * differs from `diffmean` where lengths do: there a long text counts more. Tokens are scored by h·w, as of all directions.
 */
export default defineBaseline<Record<string, never>>({
  id: 'mean-token-diffmean',
  title: 'Difference of means over texts (mean token of each)',
  paper: 'Marks & Tegmark 2023, arXiv:2310.06824',
  version: 1,
  options: {},
  needs: 'labels',
  seeded: false,
  fit: (context) => fitMeanDifference('mean-token-diffmean', 'items', context),
  restore: (state, { d_in }) => restoreDirections(state, d_in),
});
