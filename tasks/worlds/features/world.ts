/** @file A world of known features (SynthSAEBench): activations as sums of sparse features, each item of its own stream. */
import type { Rng } from '../../../harness/contract.ts';
import { type Csr, createRng, normalQuantile } from '../../../harness/kit/index.ts';
import type { FeatureWorldConfig } from './configuration.ts';
import { orthogonalisedDirections } from './directions.ts';
import { buildHierarchy, compensated, zipfProbabilities } from './hierarchy.ts';
import { csrOf, type FeaturesOfItem, type FeatureWorld, sumsOf } from './sums.ts';

/** Smallest variance of a feature's own part in the copula. */
const LEAST_OWN = 0.01;

/** Rows of the factor and the deviation of what is each feature's own: together of variance 1. */
function copula({ features, correlation: { rank, scale } }: FeatureWorldConfig, rng: Rng) {
  const factor = rng.fillNormal(new Float32Array(features * rank), 0, scale);
  const own = new Float64Array(features);
  for (let i = 0; i < features; i++) {
    const row = factor.subarray(i * rank, (i + 1) * rank);
    const shared = row.reduce((sum, value) => sum + value * value, 0);
    const shrink = shared > 1 - LEAST_OWN ? Math.sqrt((1 - LEAST_OWN) / shared) : 1;
    for (let k = 0; k < rank; k++) row[k] = row[k]! * shrink;
    own[i] = Math.sqrt(1 - shared * shrink * shrink);
  }
  return { factor, own };
}

/**
 * The world of a seed. An item's features depend on the seed and the item's id alone, so that any rows can be made in
 * any order, again and again; nothing but the directions [features, d] and the factor is held in memory.
 */
export function createFeatureWorld(config: FeatureWorldConfig, seed: number): FeatureWorld {
  const { features, d, magnitude, bias: biasNorm, correlation } = config;
  const { rank } = correlation;
  const rng = createRng(seed).fork('features');
  const tree = buildHierarchy(config);
  const { parents, first, count } = tree;
  const thresholds = compensated(zipfProbabilities(config), tree).map((p) => normalQuantile(1 - p));
  const { factor, own } = copula(config, rng.fork('correlation'));
  const mean = (i: number) =>
    features === 1 ? magnitude.first : magnitude.first + ((magnitude.last - magnitude.first) * i) / (features - 1);
  const deviations = rng
    .fork('deviations')
    .fillNormal(new Float32Array(features), magnitude.deviation.mean, magnitude.deviation.sd)
    .map(Math.abs);
  const items = rng.fork('items');
  const bias = rng.fork('bias').fillNormal(new Float32Array(d));
  const length = Math.hypot(...bias);
  const direction = bias.map((value) => (value / length) * biasNorm);

  function ofItem(id: string): FeaturesOfItem {
    const draws = items.fork(id);
    const shared = draws.fillNormal(new Float32Array(rank));
    const found: FeaturesOfItem = { indices: [], values: [] };
    /** The magnitude with which feature i fires; 0 where it does not. */
    function fire(i: number): number {
      let z = own[i]! * draws.normal();
      for (let k = 0; k < rank; k++) z += factor[i * rank + k]! * shared[k]!;
      return z > thresholds[i]! ? Math.max(0, mean(i) + deviations[i]! * draws.normal()) : 0;
    }
    /** Of the children of an active parent at most one is active, drawn; it grows and shrinks with its parent. */
    function fireChildren(parent: number, value: number): void {
      const active: { child: number; magnitude: number }[] = [];
      for (let child = first[parent]!; child < first[parent]! + count[parent]!; child++) {
        const drawn = fire(child);
        if (drawn > 0) active.push({ child, magnitude: drawn });
      }
      if (active.length === 0) return;
      const { child, magnitude: drawn } = draws.choice(active);
      add(child, (drawn * value) / mean(parent));
    }
    function add(i: number, value: number): void {
      found.indices.push(i);
      found.values.push(value);
      if (count[i]! > 0) fireChildren(i, value);
    }
    for (let i = 0; i < features; i++) {
      if (parents[i]! >= 0) continue;
      const value = fire(i);
      if (value > 0) add(i, value);
    }
    return found;
  }

  let made: Promise<Float32Array> | undefined;
  const directions = () => {
    made ??= orthogonalisedDirections(config, rng.fork('directions'));
    return made;
  };
  return {
    features,
    d,
    parents,
    directions,
    of: (ids): Csr => csrOf(ids.map(ofItem), features),
    rows: async (ids) => sumsOf(ids.map(ofItem), await directions(), direction),
  };
}
