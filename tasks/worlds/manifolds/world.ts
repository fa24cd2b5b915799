/** @file A union of manifolds of known dimensions: each point lies on one, and every point has a stream of its own. */
import type { Rng } from '../../../harness/contract.ts';
import { createRng } from '../../../harness/kit/index.ts';

/**
 * One manifold through or around the origin. `linear`: u of `dimension` normal coordinates along orthonormal directions.
 * `curved`: that, and along as many further directions (u² − 1) / √2. `sphere`: points of length √(dimension + 1) in
 * `dimension` + 1 directions.
 */
export interface ManifoldConfig {
  kind: 'linear' | 'curved' | 'sphere';
  dimension: number;
}

export interface ManifoldWorldConfig {
  /** Dimensions of the space. */
  d: number;
  manifolds: readonly ManifoldConfig[];
}

const linear = (dimension: number): ManifoldConfig => ({ kind: 'linear', dimension });

/** `published` has the sizes of the authors' three linear manifolds; theirs may share directions. */
export const MANIFOLD_WORLDS = {
  linear: { d: 40, manifolds: [linear(4), linear(6), linear(8)] },
  published: { d: 40, manifolds: [linear(4), linear(4), linear(4)] },
  curved: {
    d: 40,
    manifolds: [linear(3), { kind: 'curved', dimension: 3 }, { kind: 'sphere', dimension: 2 }],
  },
} satisfies Record<string, ManifoldWorldConfig>;

export interface ManifoldWorld {
  d: number;
  /** The manifolds with names of their own. */
  manifolds: readonly (ManifoldConfig & { name: string })[];
  /** Which of them the item of that id lies on. */
  manifoldOf(id: string): number;
  /** The points of these ids, row-major [ids, d]. */
  rows(ids: readonly string[]): Float32Array;
}

/** Directions that a manifold extends in. */
const span = ({ kind, dimension }: ManifoldConfig) =>
  ({ linear: 1, curved: 2, sphere: 1 })[kind] * dimension + (kind === 'sphere' ? 1 : 0);

/** Orthonormal directions, row-major [count, d], by Gram-Schmidt in float64, twice for their rounding. */
function orthonormal(rng: Rng, count: number, d: number): Float64Array {
  const basis = Float64Array.from(rng.fillNormal(new Float32Array(count * d)));
  for (let i = 0; i < count; i++) {
    const row = basis.subarray(i * d, (i + 1) * d);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = basis.subarray(j * d, (j + 1) * d);
        const along = row.reduce((sum, value, c) => sum + value * other[c]!, 0);
        for (let c = 0; c < d; c++) row[c]! -= along * other[c]!;
      }
    }
    const length = Math.hypot(...row);
    for (let c = 0; c < d; c++) row[c]! /= length;
  }
  return basis;
}

/** Coordinates of a point along the manifold's directions. */
function coordinates({ kind, dimension }: ManifoldConfig, rng: Rng): Float32Array {
  const drawn = rng.fillNormal(new Float32Array(kind === 'sphere' ? dimension + 1 : dimension));
  if (kind === 'linear') return drawn;
  if (kind === 'curved') return Float32Array.of(...drawn, ...drawn.map((u) => (u * u - 1) / Math.SQRT2));
  const scale = Math.sqrt(dimension + 1) / Math.hypot(...drawn);
  return drawn.map((u) => scale * u);
}

/** The world of a seed: manifolds are equally likely, and their directions drawn independently of one another. */
export function createManifoldWorld({ d, manifolds }: ManifoldWorldConfig, seed: number): ManifoldWorld {
  const rng = createRng(seed).fork('manifolds');
  const bases = manifolds.map((manifold, m) => orthonormal(rng.fork(`directions ${m}`), span(manifold), d));
  const items = rng.fork('items');
  const manifoldOf = (id: string) => items.fork(id).int(manifolds.length);
  return {
    d,
    manifolds: manifolds.map((manifold, m) => ({ ...manifold, name: `${m}-${manifold.kind}-${manifold.dimension}` })),
    manifoldOf,
    rows(ids) {
      const out = new Float32Array(ids.length * d);
      for (const [i, id] of ids.entries()) {
        const m = manifoldOf(id);
        const along = coordinates(manifolds[m]!, items.fork(id).fork('coordinates'));
        for (let c = 0; c < d; c++) {
          out[i * d + c] = along.reduce((sum, u, k) => sum + u * bases[m]![k * d + c]!, 0);
        }
      }
      return out;
    },
  };
}
