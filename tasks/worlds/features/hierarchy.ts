/** @file Trees of features: a child fires only where its parent does, and of its siblings one at a time. */
import type { FeatureWorldConfig } from './configuration.ts';

export interface Hierarchy {
  /** Parent of each feature, −1 of roots and of features outside of the trees. */
  parents: Int32Array;
  /** Children of feature p, consecutive: `first[p]` … `first[p] + count[p] − 1`. */
  first: Uint32Array;
  count: Uint32Array;
}

/** Breadth first: features are numbered level by level, so that parents come before children, frequent before rare. */
export function buildHierarchy({ features, hierarchy }: Pick<FeatureWorldConfig, 'features' | 'hierarchy'>): Hierarchy {
  const { roots, branching, depth } = hierarchy;
  const parents = new Int32Array(features).fill(-1);
  const first = new Uint32Array(features);
  const count = new Uint32Array(features);
  let next = Math.min(roots, features);
  let level = { start: 0, end: next };
  for (let below = 0; below < depth && level.end > level.start; below++) {
    for (let parent = level.start; parent < level.end; parent++) {
      first[parent] = next;
      count[parent] = Math.min(branching, features - next);
      parents.fill(parent, next, next + count[parent]!);
      next += count[parent]!;
    }
    level = { start: level.end, end: next };
  }
  return { parents, first, count };
}

/** p = least + (most − least) · (r^−e − n^−e) ÷ (1 − n^−e) for the ranks r = 1 … n. */
export function zipfProbabilities({ features, firing }: Pick<FeatureWorldConfig, 'features' | 'firing'>): Float64Array {
  const { most, least, exponent } = firing;
  const last = features ** -exponent;
  return Float64Array.from({ length: features }, (_, i) =>
    features === 1 ? most : least + ((most - least) * ((i + 1) ** -exponent - last)) / (1 - last),
  );
}

/**
 * Probabilities before parents and siblings are seen to, such that about the given ones come out after: divided by the
 * parent's, and times 1 + Σ of the other siblings' ÷ the parent's. At most 1: children whose sum is above their
 * parent's stay below what was asked for, as in the published world.
 */
export function compensated(probabilities: Float64Array, { parents, first, count }: Hierarchy): Float64Array {
  return probabilities.map((p, i) => {
    const parent = parents[i]!;
    if (parent < 0) return p;
    const ofParent = probabilities[parent]!;
    const siblings = probabilities.subarray(first[parent]!, first[parent]! + count[parent]!);
    const others = count[parent]! < 2 ? 0 : siblings.reduce((sum, each) => sum + each, -p);
    return Math.min(1, (p / ofParent) * (1 + others / ofParent));
  });
}
