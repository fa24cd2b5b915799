/** @file Input × gradient: how strongly each token's activation moves a classifier of the text. */
import { defineBaseline } from '../harness/contract.ts';
import { inputXGradient } from './parts/attribution/attribute.ts';
import type { HeadSettings } from './parts/attribution/head.ts';
import { fitHeads, HEAD_OPTIONS, restoreHeads } from './parts/attribution/method.ts';

/**
 * AxBench's InputXGradients: an MLP (d, d/2, 2, ReLU) on the last token's final hidden state is trained on each concept's
 * training items; a token's score is Σ |h · ∂p/∂h| over the coordinates of its activation h at the site, p the
 * probability of the concept. It has no sign: an AUROC below .5 says that texts with the concept move the classifier less,
 * for p is saturated there. An attribution is no direction: nothing is steered with it.
 */
export default defineBaseline<HeadSettings>({
  id: 'ixg',
  title: 'Input × gradient (of a classifier on the subject)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148; Shrikumar et al. 2016, arXiv:1605.01713',
  version: 1,
  options: HEAD_OPTIONS,
  needs: 'gradients',
  modalities: ['text'],
  seeded: true,
  fit: (context) => fitHeads('ixg', context),
  restore: (state, context) => restoreHeads('ixg', state, context, inputXGradient),
});
