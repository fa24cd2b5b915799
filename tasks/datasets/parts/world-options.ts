/** @file Which concepts a world's dataset has, and how many items it draws for each: the options of both worlds. */
import type { OptionsSchema } from '../../../harness/contract.ts';

/** Items of a class (positives, negatives, hard negatives) in each split; `clinical`: of clinical concepts alone. */
export interface WorldOptions {
  train: number;
  eval: number;
  clinical?: boolean;
}

/** The concepts that are asked for. */
export const chosenOf = <C extends { clinical: boolean }>(concepts: readonly C[], options: WorldOptions): C[] =>
  concepts.filter(({ clinical }) => clinical || !options.clinical);

/** What a run asks for at most. */
export interface ConceptLimits {
  concepts?: number;
  perClass?: number;
}

export const worldOptions: OptionsSchema = {
  train: { type: 'integer', minimum: 1, maximum: 10000, default: 72, description: 'Training items of a class.' },
  eval: { type: 'integer', minimum: 1, maximum: 10000, default: 36, description: 'Evaluation items of a class.' },
  // Without a default: a world of all concepts keeps its keys.
  clinical: { type: 'boolean', description: 'Only the clinical concepts.' },
};
