/** @file Difference of means over texts: each text counts once, by its last token. */
import { defineBaseline } from '../harness/contract.ts';
import { restoreDirections } from './parts/concept-directions.ts';
import { fitMeanDifference } from './parts/mean-difference.ts';

/**
 * w = mean last kept token of positive items − that of negative items, scaled to length 1: what a causal model has gathered
 * of a text by its end. Only the direction comes from last tokens; in detection every token is scored by h·w and the
 * largest counts, as of all directions (AxBench's pooling).
 */
export default defineBaseline<Record<string, never>>({
  id: 'last-token-diffmean',
  title: 'Difference of means of last tokens',
  paper: 'Marks & Tegmark 2023, arXiv:2310.06824; Zou et al. 2023, arXiv:2310.01405',
  version: 1,
  options: {},
  needs: 'labels',
  seeded: false,
  fit: (context) => fitMeanDifference('last-token-diffmean', 'last rows', context),
  restore: (state, { d_in }) => restoreDirections(state, d_in),
});
