/** @file The signed latents of items, and the choice of the one that tells a concept best. */
import type { Csr } from '../num/csr.ts';
import { latentAuroc } from '../num/metrics/latent-auroc.ts';
import { auroc } from '../num/metrics/roc.ts';
import type { PooledLatents } from './pooled-latents.ts';

/** Items with labels 1 and 0, both present. */
export interface LabelledItems {
  items: Uint32Array;
  labels: Uint8Array;
}

/**
 * Candidates for a detector: every latent, and for signed codes every negated latent too. A candidate's value for an item
 * is its maximum over the item's positions, so the negated latent's is minus the latent's minimum.
 */
export interface Candidates {
  count: number;
  latentOf(candidate: number): number;
  signOf(candidate: number): 1 | -1;
  /** Values of one candidate for the given items. */
  values(candidate: number, items: Uint32Array): Float64Array;
  /** AUROC of each candidate, for each labelled set of items; 0.5 for a constant candidate. */
  aurocs(sets: readonly LabelledItems[]): Float64Array[];
  /** Hands on the values of an item: of every candidate of signed codes, of sparse ones those that are not 0. */
  forEach(item: number, visit: (candidate: number, value: number) => void): void;
}

/** Candidates of a method's pooled latents. */
export function createCandidates(pooled: PooledLatents): Candidates {
  return pooled.kind === 'sparse'
    ? sparseCandidates(pooled.max)
    : denseCandidates(pooled.max, pooled.min, pooled.d_sae);
}

/** The candidate chosen for a set of labelled items. */
export interface BestLatent {
  candidate: number;
  latent: number;
  sign: 1 | -1;
  trainAuroc: number;
}

/** The candidate of highest AUROC on each set; the first among equals. */
export function bestLatents(candidates: Candidates, sets: readonly LabelledItems[]): BestLatent[] {
  return candidates.aurocs(sets).map((aurocs) => {
    const best = aurocs.reduce((top, value, candidate) => (value > aurocs[top]! ? candidate : top), 0);
    const [latent, sign] = [candidates.latentOf(best), candidates.signOf(best)];
    return { candidate: best, latent, sign, trainAuroc: aurocs[best]! };
  });
}

function sparseCandidates(csr: Csr): Candidates {
  return {
    count: csr.d_sae,
    latentOf: (candidate) => candidate,
    signOf: () => 1,
    values: (candidate, items) => Float64Array.from(items, (item) => csrValue(csr, item, candidate)),
    aurocs: (sets) =>
      latentAuroc(
        csr,
        sets.map((set) => labelsOfAll(set, csr.n)),
      ),
    forEach(item, visit) {
      for (let at = csr.indptr[item]!; at < csr.indptr[item + 1]!; at++) visit(csr.indices[at]!, csr.values[at]!);
    },
  };
}

function denseCandidates(max: Float32Array, min: Float32Array, d_sae: number): Candidates {
  const values = (candidate: number, items: Uint32Array) => {
    const chosen = new Float64Array(items.length);
    for (let i = 0; i < items.length; i++) {
      const from = items[i]! * d_sae + candidate;
      chosen[i] = candidate < d_sae ? max[from]! : -min[from - d_sae]!;
    }
    return chosen;
  };
  return {
    count: 2 * d_sae,
    latentOf: (candidate) => candidate % d_sae,
    signOf: (candidate) => (candidate < d_sae ? 1 : -1),
    values,
    aurocs: (sets) =>
      sets.map(({ items, labels }) =>
        Float64Array.from({ length: 2 * d_sae }, (_, candidate) => auroc(values(candidate, items), labels)!),
      ),
    forEach(item, visit) {
      for (let j = 0, at = item * d_sae; j < d_sae; j++, at++) {
        visit(j, max[at]!);
        visit(d_sae + j, -min[at]!);
      }
    },
  };
}

/** Labels of all `n` items, −1 for those outside the set. */
function labelsOfAll({ items, labels }: LabelledItems, n: number): Int8Array {
  const all = new Int8Array(n).fill(-1);
  items.forEach((item, i) => {
    all[item] = labels[i]!;
  });
  return all;
}

function csrValue(csr: Csr, row: number, column: number): number {
  let low = csr.indptr[row]!;
  let high = csr.indptr[row + 1]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (csr.indices[middle]! < column) low = middle + 1;
    else high = middle;
  }
  return low < csr.indptr[row + 1]! && csr.indices[low] === column ? csr.values[low]! : 0;
}
