/** @file Features of the toy models of superposition (Elhage et al. 2022): uniform, sparse, of falling importance, in sets. */
import type { Rng } from '../../../harness/contract.ts';
import type { FeaturesOfItem } from './sums.ts';

/** How the features of one set go together. */
export type Together = 'independent' | 'correlated' | 'anti-correlated';

export interface ToyConfig {
  features: number;
  /** Width of the activations, the hidden layer. */
  d: number;
  /** Probability that a feature is active: 1 less the sparsity of the paper. */
  density: number;
  /** Feature i counts importanceⁱ in the loss. */
  importance: number;
  together: Together;
  /** Features of a set, consecutive ones; 1: no sets. */
  set: number;
  /** Adam's steps, and the rows of one. */
  steps: number;
  batch: number;
  lr: number;
  /** Of the model: otherwise the same data train another one. */
  relu: boolean;
}

/**
 * Active features of one item, each uniform in [0, 1). The features of a correlated set are active together; of an
 * anti-correlated set one at a time, each as often as it would be alone where the set has room (density ≤ 1 ÷ set).
 */
export function drawToyFeatures({ features, density, together, set }: ToyConfig, draws: Rng): FeaturesOfItem {
  const found: FeaturesOfItem = { indices: [], values: [] };
  const add = (i: number) => {
    // Never 0: what is active has a magnitude.
    found.indices.push(i);
    found.values.push(1 - draws.uniform());
  };
  for (let start = 0; start < features; start += set) {
    const size = Math.min(set, features - start);
    if (together === 'correlated') {
      if (draws.uniform() < density) for (let i = start; i < start + size; i++) add(i);
    } else if (together === 'anti-correlated') {
      if (draws.uniform() < Math.min(1, size * density)) add(start + draws.int(size));
    } else {
      for (let i = start; i < start + size; i++) if (draws.uniform() < density) add(i);
    }
  }
  return found;
}

/** Rows [count, features] of items drawn one after another. */
export function toyBatch(config: ToyConfig, count: number, draws: Rng): Float32Array {
  const rows = new Float32Array(count * config.features);
  for (let row = 0; row < count; row++) {
    const { indices, values } = drawToyFeatures(config, draws);
    for (const [at, i] of indices.entries()) rows[row * config.features + i] = values[at]!;
  }
  return rows;
}
