/** @file On which items each latent of a method fires, and how strongly: sparse codes as they are, dense units at a fixed rate. */
import type { PooledLatents } from '../contract/methods.ts';
import { type Csr, csrRows, csrToCsc } from '../num/csr.ts';
import { thresholdToRate } from '../num/firing-rate.ts';

/** Items of a latent from the strongest down, by their place among the items. */
export interface RankedItems {
  items: Uint32Array;
  values: Float32Array;
}

export interface Firing {
  d_sae: number;
  items: number;
  codes: Csr;
  of(latent: number): RankedItems;
  /** What a value of a dense unit must pass to count as firing; 0 of a sparse latent. */
  threshold(latent: number): number;
}

const positive = (codes: Csr): Csr => {
  const indptr = new Uint32Array(codes.n + 1);
  const kept: number[] = [];
  for (let i = 0; i < codes.n; i++) {
    for (let at = codes.indptr[i]!; at < codes.indptr[i + 1]!; at++) if (codes.values[at]! > 0) kept.push(at);
    indptr[i + 1] = kept.length;
  }
  const pick = (at: number) => codes.indices[at]!;
  return {
    ...{ n: codes.n, d_sae: codes.d_sae, indptr },
    indices: Uint32Array.from(kept, pick),
    values: Float32Array.from(kept, (at) => codes.values[at]!),
  };
};

/**
 * Firing on the chosen items alone, numbered as they are in `chosen`. A unit of a dense method, for which "fires" has no
 * meaning, fires on its strongest items: on the share `rate` of them.
 */
export function firingOn(pooled: PooledLatents, chosen: Uint32Array, rate: number): Firing {
  const { d_sae } = pooled;
  let codes: Csr;
  let thresholds: Float32Array | undefined;
  if (pooled.kind === 'sparse') codes = positive(csrRows(pooled.max, chosen));
  else {
    const rows = new Float32Array(chosen.length * d_sae);
    chosen.forEach((item, i) => {
      rows.set(pooled.max.subarray(item * d_sae, (item + 1) * d_sae), i * d_sae);
    });
    codes = thresholdToRate(rows, chosen.length, d_sae, rate);
    thresholds = new Float32Array(d_sae);
    for (let i = 0; i < codes.n; i++) {
      for (let at = codes.indptr[i]!; at < codes.indptr[i + 1]!; at++) {
        const latent = codes.indices[at]!;
        thresholds[latent] = rows[i * d_sae + latent]! - codes.values[at]!;
      }
    }
  }
  const { indptr, indices, values } = csrToCsc(codes);
  return {
    d_sae,
    items: chosen.length,
    codes,
    of(latent) {
      const [start, end] = [indptr[latent]!, indptr[latent + 1]!];
      const order = Uint32Array.from({ length: end - start }, (_, i) => start + i).sort(
        (a, b) => values[b]! - values[a]! || indices[a]! - indices[b]!,
      );
      return { items: order.map((at) => indices[at]!), values: Float32Array.from(order, (at) => values[at]!) };
    },
    threshold: (latent) => thresholds?.[latent] ?? 0,
  };
}

/** Mean share of items on which a latent fires, over those that fire at all; undefined of dense methods and where none does. */
export function meanRate(pooled: PooledLatents): number | undefined {
  if (pooled.kind === 'dense') return undefined;
  const { indices } = positive(pooled.max);
  const alive = new Set(indices).size;
  return alive === 0 ? undefined : indices.length / alive / pooled.items;
}
