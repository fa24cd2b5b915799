/** @file How many items a world's dataset draws for each concept: the options of both worlds. */
import type { OptionsSchema } from '../../../harness/contract.ts';

/** Items of a class (positives, negatives, hard negatives) in each split. */
export interface WorldOptions {
  train: number;
  eval: number;
}

/** What a run asks for at most. */
export interface ConceptLimits {
  concepts?: number;
  perClass?: number;
}

export const worldOptions: OptionsSchema = {
  train: { type: 'integer', minimum: 1, maximum: 10000, default: 72, description: 'Training items of a class.' },
  eval: { type: 'integer', minimum: 1, maximum: 10000, default: 36, description: 'Evaluation items of a class.' },
};
