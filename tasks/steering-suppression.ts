/** @file Suppression by likelihood: does steering against a method's direction make texts with the concept less likely? */
import { defineTask } from '../harness/contract.ts';
import { likelihoodTask } from './steering/likelihood/task.ts';

/** The task `steering-likelihood` with negative factors: its headline is the drop of PrefOdds, under the same bound on utility. */
export default defineTask({
  ...likelihoodTask('suppress'),
  id: 'steering-suppression',
  title: 'Suppression by likelihood (PrefOdds, negative factors)',
  version: 2,
});
