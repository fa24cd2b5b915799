/** @file What worlds of known features have in common: items as sparse features, and activations as their sums. */
import type { Csr } from '../../../harness/kit/index.ts';

/** Active features of an item with their magnitudes, above 0, in any order. */
export interface FeaturesOfItem {
  indices: number[];
  values: number[];
}

export interface FeatureWorld {
  features: number;
  d: number;
  /** Parent of each feature, −1 where it has none. */
  parents?: Int32Array;
  /** Unit directions, row-major [features, d]. */
  directions(): Promise<Float32Array>;
  /** Features of the items of these ids. */
  of(ids: readonly string[]): Csr;
  /** Their activations, row-major [ids, d]. */
  rows(ids: readonly string[]): Promise<Float32Array>;
}

/** Sparse rows, each in the order of the features. */
export function csrOf(items: readonly FeaturesOfItem[], features: number): Csr {
  const indptr = new Uint32Array(items.length + 1);
  for (const [i, { indices }] of items.entries()) indptr[i + 1] = indptr[i]! + indices.length;
  const indices = new Uint32Array(indptr[items.length]!);
  const values = new Float32Array(indices.length);
  for (const [i, item] of items.entries()) {
    const order = [...item.indices.keys()].sort((a, b) => item.indices[a]! - item.indices[b]!);
    for (const [place, from] of order.entries()) {
      indices[indptr[i]! + place] = item.indices[from]!;
      values[indptr[i]! + place] = item.values[from]!;
    }
  }
  return { n: items.length, d_sae: features, indptr, indices, values };
}

/** bias + Σ magnitude · direction of each item, row-major [items, d]. */
export function sumsOf(items: readonly FeaturesOfItem[], directions: Float32Array, bias: Float32Array): Float32Array {
  const d = bias.length;
  const out = new Float32Array(items.length * d);
  const row = new Float64Array(d);
  for (const [i, { indices, values }] of items.entries()) {
    row.set(bias);
    for (const [place, feature] of indices.entries()) {
      for (let j = 0; j < d; j++) row[j]! += values[place]! * directions[feature * d + j]!;
    }
    out.set(row, i * d);
  }
  return out;
}
