/** @file Synthetic activations with a known dictionary, for tests of SAEs. */
import { memorySet } from '../activations/activation-set.ts';
import type { ActivationSet } from '../contract.ts';
import { createRng } from '../num/rng.ts';
import { unitRows } from '../train/fitted-sae.ts';

export interface SparseData {
  set: ActivationSet;
  /** True directions, unit rows [features, d]. */
  dictionary: Float32Array;
  features: number;
  d: number;
}

/** n rows, each a sum of `active` of `features` random directions with lengths around 1, plus a constant vector. */
export function sparseData(
  { d = 16, features = 24, active = 2, n = 4000 } = {},
  seed: number | string = 'sparse data',
): SparseData {
  const rng = createRng(seed);
  const dictionary = unitRows(rng.fillNormal(new Float32Array(features * d)), d);
  const offset = rng.fillNormal(new Float32Array(d), 0, 0.2);
  const x = new Float32Array(n * d);
  for (let row = 0; row < n; row++) {
    x.set(offset, row * d);
    for (const g of rng.sample(features, active)) {
      const length = 1 + 0.2 * rng.normal();
      for (let j = 0; j < d; j++) x[row * d + j]! += length * dictionary[g * d + j]!;
    }
  }
  return {
    set: memorySet(x, d, { key: `sparse data ${seed} ${d} ${features} ${active} ${n}` }),
    dictionary,
    features,
    d,
  };
}
