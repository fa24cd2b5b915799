/** @file The signed latents of items, among which the detector of a concept is chosen. */
import { auroc, type Csr, latentAuroc, type PooledLatents } from '../../harness/contract.ts';
import { twoClassF } from './f-statistic.ts';

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
  /** One-way F statistic (two classes) of each candidate on the given items: scale-free separation of the means. */
  fStatistic(set: LabelledItems): Float64Array;
}

/** Candidates of a method's pooled latents. */
export function createCandidates(pooled: PooledLatents): Candidates {
  return pooled.kind === 'sparse'
    ? sparseCandidates(pooled.max)
    : denseCandidates(pooled.max, pooled.min, pooled.d_sae);
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
    fStatistic: (set) =>
      fStatistics(csr.d_sae, set, (item, add) => {
        for (let at = csr.indptr[item]!; at < csr.indptr[item + 1]!; at++) add(csr.indices[at]!, csr.values[at]!);
      }),
  };
}

function denseCandidates(max: Float32Array, min: Float32Array, d_sae: number): Candidates {
  const values = (candidate: number, items: Uint32Array) =>
    candidate < d_sae
      ? Float64Array.from(items, (item) => max[item * d_sae + candidate]!)
      : Float64Array.from(items, (item) => -min[item * d_sae + candidate - d_sae]!);
  return {
    count: 2 * d_sae,
    latentOf: (candidate) => candidate % d_sae,
    signOf: (candidate) => (candidate < d_sae ? 1 : -1),
    values,
    aurocs: (sets) =>
      sets.map(({ items, labels }) =>
        Float64Array.from({ length: 2 * d_sae }, (_, candidate) => auroc(values(candidate, items), labels)!),
      ),
    fStatistic: (set) =>
      fStatistics(2 * d_sae, set, (item, add) => {
        for (let j = 0, at = item * d_sae; j < d_sae; j++, at++) {
          add(j, max[at]!);
          add(d_sae + j, -min[at]!);
        }
      }),
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

function fStatistics(
  count: number,
  { items, labels }: LabelledItems,
  each: (item: number, add: (candidate: number, value: number) => void) => void,
): Float64Array {
  const sums = [new Float64Array(count), new Float64Array(count)] as const;
  const squares = new Float64Array(count);
  const sizes: [number, number] = [0, 0];
  items.forEach((item, i) => {
    const label = labels[i] === 1 ? 1 : 0;
    sizes[label]++;
    each(item, (candidate, value) => {
      sums[label][candidate] = sums[label][candidate]! + value;
      squares[candidate] = squares[candidate]! + value * value;
    });
  });
  return squares.map((square, candidate) => twoClassF(sizes, sums[0][candidate]!, sums[1][candidate]!, square));
}
