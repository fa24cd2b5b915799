/** @file Steering by likelihood: does a method's direction make the subject find texts with the concept likelier, no judge asked? */
import { defineTask } from '../harness/contract.ts';
import { likelihoodTask } from './steering/likelihood/task.ts';

/**
 * The steered subject reads pairs of held-out texts, one with the concept and one without it: by how much does it come to
 * prefer the first? Continuous, and on any language model, also one that writes too badly to be judged. The factor of each
 * concept is chosen on half of the pairs, among those that keep a bound on utility, so that an ever larger one cannot win;
 * the other half reports, with what it costs on held-out text. Methods, vectors and scales are those of the task `steering`.
 */
export default defineTask({
  ...likelihoodTask('promote'),
  id: 'steering-likelihood',
  title: 'Steering by likelihood (PrefOdds)',
  version: 2,
});
