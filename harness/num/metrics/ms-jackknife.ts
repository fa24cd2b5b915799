/** @file The mean MS by block of items, for its error and for paired differences: all latents share the items. */
import { type Csr, csrToCsc } from '../csr.ts';
import { unitRows } from './monosemanticity.ts';

/** Blocks of items: item number modulo their number. */
const BLOCKS = 20;
/** Multiplications that this may cost: beyond it, evenly spaced latents stand for all. */
const BUDGET = 2e8;

/**
 * Pseudo-values of the mean MS by block of items (jackknife): G·mean − (G−1)·(mean without the block), moved so that their
 * mean is `mean`. A latent's scale (its minimum) and whether it counts stay those of all items. Empty with fewer than four
 * items or no scored latent.
 *
 * @param codes one row for each item; not listed: 0
 * @param embeddings [items, dim] row-major
 * @param scores MS of each latent by all items; NaN: not scored
 */
export function msBlockSamples(
  codes: Csr,
  embeddings: Float32Array,
  scores: Float64Array,
  mean: number,
  budget = BUDGET,
): number[] {
  const blocks = Math.min(BLOCKS, Math.floor(codes.n / 2));
  const scored = Array.from(scores.keys()).filter((f) => !Number.isNaN(scores[f]));
  if (blocks < 2 || scored.length === 0) return [];
  const { rows, sum } = unitRows(embeddings, codes.n);
  const dim = sum.length;
  const { indptr, indices, values } = csrToCsc(codes);
  const step = Math.max(1, Math.ceil((values.length * dim) / budget));
  const kept = scored.filter((_, i) => i % step === 0);
  const blockRows = new Float64Array(blocks * dim);
  const blockItems = new Float64Array(blocks);
  for (let i = 0; i < codes.n; i++) {
    const g = i % blocks;
    blockItems[g]!++;
    for (let c = 0; c < dim; c++) blockRows[g * dim + c]! += rows[i * dim + c]!;
  }
  // What leaving a block out adds to the mean.
  const changes = new Float64Array(blocks);
  const [w, u, v] = [new Float64Array(blocks * dim), new Float64Array(blocks), new Float64Array(blocks)];
  const total = new Float64Array(dim);
  for (const f of kept) {
    const [start, end] = [indptr[f]!, indptr[f + 1]!];
    let min = end - start < codes.n ? 0 : Infinity;
    for (let j = start; j < end; j++) min = Math.min(min, values[j]!);
    for (let g = 0; g < blocks; g++) {
      u[g] = -min * blockItems[g]!;
      v[g] = min * min * blockItems[g]!;
    }
    for (let at = 0; at < w.length; at++) w[at] = min === 0 ? 0 : -min * blockRows[at]!;
    for (let j = start; j < end; j++) {
      const [value, item] = [values[j]!, indices[j]!];
      const g = item % blocks;
      u[g]! += value;
      v[g]! += value * value - 2 * min * value;
      for (let c = 0, from = item * dim, to = g * dim; c < dim; c++) w[to + c]! += value * rows[from + c]!;
    }
    total.fill(0);
    for (let g = 0; g < blocks; g++) for (let c = 0; c < dim; c++) total[c]! += w[g * dim + c]!;
    const [allU, allV] = [u, v].map((parts) => parts.reduce((all, part) => all + part, 0)) as [number, number];
    for (let g = 0; g < blocks; g++) {
      let squared = 0;
      for (let c = 0; c < dim; c++) squared += (total[c]! - w[g * dim + c]!) ** 2;
      const rest = { u: allU - u[g]!, v: allV - v[g]! };
      const pairs = rest.u * rest.u - rest.v;
      // Where one item is left there is no pair and nothing to compare.
      if (pairs > 1e-9 * allU * allU) changes[g]! += ((squared - rest.v) / pairs - scores[f]!) / kept.length;
    }
  }
  const centre = changes.reduce((all, change) => all + change, 0) / blocks;
  return Array.from(changes, (change) => mean - (blocks - 1) * (change - centre));
}
