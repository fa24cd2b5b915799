/** @file The hidden layer of a toy model of superposition as a dataset, with the features that it packs into it. */
import { defineDataset, UserError } from '../../harness/contract.ts';
import type { ToyConfig } from '../worlds/features/toy.ts';
import { createToyWorld } from '../worlds/features/toy-model.ts';
import { vectorDataset } from './parts/vector-dataset.ts';

export default defineDataset<ToyConfig>({
  id: 'superposition',
  title: 'Toy model of superposition, trained here: its hidden layer, with the features in it; needs no subject',
  paper: 'Elhage et al. 2022, arXiv:2209.10652',
  version: 1,
  modality: 'vectors',
  options: {
    features: { type: 'integer', minimum: 1, maximum: 4096, default: 80, description: 'Features, n.' },
    d: { type: 'integer', minimum: 1, maximum: 1024, default: 20, description: 'Width of the hidden layer, m.' },
    density: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.05,
      description: 'Probability that a feature is active: 1 less the sparsity.',
    },
    importance: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1,
      description: 'Feature i counts this to the power of i in the loss.',
    },
    together: {
      enum: ['independent', 'correlated', 'anti-correlated'],
      default: 'independent',
      description: 'Features of a set are active on their own, together, or one at a time.',
    },
    set: { type: 'integer', minimum: 1, default: 1, description: 'Consecutive features that make a set.' },
    relu: { type: 'boolean', default: true, description: 'Without: the linear model, which has no superposition.' },
    steps: { type: 'integer', minimum: 1, default: 2000, description: 'Steps of its training.' },
    batch: { type: 'integer', minimum: 1, default: 1024, description: 'Rows of a step.' },
    lr: { type: 'number', exclusiveMinimum: 0, default: 0.003, description: 'Rate of Adam; falls over the last half.' },
  },
  async open(options, { seed }) {
    const { together, set, features, density } = options;
    if ((together !== 'independent') !== set > 1) {
      throw new UserError(
        `dataset superposition: set: expected more than 1 with 'together' of correlated or anti-correlated sets, 1 without; found ${set} with ${together}.`,
      );
    }
    if (together === 'anti-correlated' && Math.min(set, features) * density > 1) {
      throw new UserError(
        `dataset superposition: density: expected at most 1 / set = ${1 / set}, since one feature of a set is active at a time; found ${density}.`,
      );
    }
    return vectorDataset('superposition', { ...options, seed }, createToyWorld(options, seed));
  },
});
