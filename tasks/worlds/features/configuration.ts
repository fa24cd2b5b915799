/** @file What a world of known features is made by: the published one, and a small one of the same kind. */

/** All of SynthSAEBench's generator (arXiv:2602.14687; SAELens' `synthetic`), in its terms. */
export interface FeatureWorldConfig {
  features: number;
  /** Width of the activations. */
  d: number;
  /** Probabilities of firing fall from `most` to `least` as a power of the rank (Zipf). */
  firing: { most: number; least: number; exponent: number };
  /** `roots` trees; all but the leaves, which lie `depth` below, have `branching` children, of which one fires at a time. */
  hierarchy: { roots: number; branching: number; depth: number };
  /** Rank and scale of the factor of the Gaussian copula. */
  correlation: { rank: number; scale: number };
  /** Mean magnitude of the first and the last feature; their deviations are |N(mean, sd)|, a draw for each feature. */
  magnitude: { first: number; last: number; deviation: { mean: number; sd: number } };
  /** Adam's steps that make the directions nearly orthogonal, and their rate. */
  orthogonalise: { steps: number; lr: number };
  /** Length of the bias. */
  bias: number;
}

const PUBLISHED: FeatureWorldConfig = {
  features: 16_384,
  d: 768,
  firing: { most: 0.4, least: 5e-4, exponent: 0.5 },
  hierarchy: { roots: 128, branching: 4, depth: 3 },
  correlation: { rank: 25, scale: 0.1 },
  magnitude: { first: 5, last: 4, deviation: { mean: 0.5, sd: 0.5 } },
  orthogonalise: { steps: 100, lr: 3e-4 },
  bias: 0.5,
};

/**
 * By name. `small` keeps the kind and gives what a laptop trains on in seconds: fewer features (each fires at least once
 * in 200 rows), shallower trees, and larger steps, since 100 of 3e-4 move 64 coordinates of size 1/8 too little.
 */
export const FEATURE_WORLDS = {
  small: {
    ...PUBLISHED,
    features: 256,
    d: 64,
    firing: { most: 0.3, least: 0.005, exponent: 0.5 },
    hierarchy: { roots: 8, branching: 3, depth: 2 },
    correlation: { rank: 8, scale: 0.1 },
    orthogonalise: { steps: 100, lr: 3e-3 },
  },
  'synth-sae-bench-16k': PUBLISHED,
} as const satisfies Record<string, FeatureWorldConfig>;

export type FeatureWorldName = keyof typeof FEATURE_WORLDS;
