/** @file The signed latents of items, and the choice of the one that tells a concept best. */

import type { PooledLatents } from '../contract/methods.ts';
import { type Csc, type Csr, csrToCsc } from '../num/csr.ts';
import { latentAuroc } from '../num/metrics/latent-auroc.ts';
import { sortedAuroc } from '../num/metrics/roc.ts';

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
  let byLatent: Csc | undefined;
  const column = new Float64Array(csr.n);
  return {
    count: csr.d_sae,
    latentOf: (candidate) => candidate,
    signOf: () => 1,
    values(candidate, items) {
      // Not everyone who ranks candidates asks for values.
      byLatent ??= csrToCsc(csr);
      const { indptr, indices, values } = byLatent;
      const [start, end] = [indptr[candidate]!, indptr[candidate + 1]!];
      for (let at = start; at < end; at++) column[indices[at]!] = values[at]!;
      const chosen = new Float64Array(items.length);
      for (let i = 0; i < items.length; i++) chosen[i] = column[items[i]!]!;
      for (let at = start; at < end; at++) column[indices[at]!] = 0;
      return chosen;
    },
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
  return {
    count: 2 * d_sae,
    latentOf: (candidate) => candidate % d_sae,
    signOf: (candidate) => (candidate < d_sae ? 1 : -1),
    values(candidate, items) {
      const chosen = new Float64Array(items.length);
      for (let i = 0; i < items.length; i++) {
        const from = items[i]! * d_sae + candidate;
        chosen[i] = candidate < d_sae ? max[from]! : -min[from - d_sae]!;
      }
      return chosen;
    },
    aurocs: (sets) => sets.map((set) => denseAurocs(max, min, d_sae, set)),
    forEach(item, visit) {
      for (let j = 0, at = item * d_sae; j < d_sae; j++, at++) {
        visit(j, max[at]!);
        visit(d_sae + j, -min[at]!);
      }
    },
  };
}

/** AUROC of each latent by its maximum, then of each by minus its minimum. */
function denseAurocs(max: Float32Array, min: Float32Array, d_sae: number, { items, labels }: LabelledItems) {
  const ofLabel = (label: number) => items.filter((_, i) => labels[i] === label);
  const sorted = (values: Float32Array, rows: Uint32Array, sign: number) => {
    const columns = new Float32Array(rows.length * d_sae);
    rows.forEach((row, i) => {
      for (let j = 0; j < d_sae; j++) columns[j * rows.length + i] = sign * values[row * d_sae + j]!;
    });
    return (j: number) => columns.subarray(j * rows.length, (j + 1) * rows.length).sort();
  };
  const aurocs = new Float64Array(2 * d_sae);
  const [positive, negative] = [ofLabel(1), ofLabel(0)];
  for (const [values, sign, from] of [
    [max, 1, 0],
    [min, -1, d_sae],
  ] as const) {
    const [of1, of0] = [sorted(values, positive, sign), sorted(values, negative, sign)];
    for (let j = 0; j < d_sae; j++) aurocs[from + j] = sortedAuroc(of1(j), of0(j));
  }
  return aurocs;
}

/** Labels of all `n` items, −1 for those outside the set. */
function labelsOfAll({ items, labels }: LabelledItems, n: number): Int8Array {
  const all = new Int8Array(n).fill(-1);
  items.forEach((item, i) => {
    all[item] = labels[i]!;
  });
  return all;
}
