/** @file The latent that tells a concept best on training items, and how strongly it fires on them. */
import {
  auroc,
  type FittedMethod,
  type LabelledActivations,
  latentAuroc,
  type PooledLatents,
  poolLatents,
} from '../../harness/contract.ts';

/** A latent chosen for a concept. For signed codes it may be the negated one. */
export interface BestLatent {
  latent: number;
  sign: 1 | -1;
  trainAuroc: number;
  /** Largest value (of the negated latent: of −f) over the concept's training items. */
  max: number;
}

/** The latent of best training AUROC of each listed concept; the first among equals. */
export async function bestLatents(
  method: FittedMethod,
  labelled: LabelledActivations,
  concepts: readonly number[],
  options: { signal?: AbortSignal; progress?: (done: number, total: number) => void },
): Promise<BestLatent[]> {
  const pooled = await poolLatents(method, labelled.activations, options);
  return concepts.map((concept) => {
    const { items, labels } = labelled.examples(concept, 'train');
    const columns = pooled.kind === 'sparse' ? sparseAurocs(pooled, items, labels) : denseAurocs(pooled, items, labels);
    const best = columns.reduce((top, value, column) => (value > columns[top]! ? column : top), 0);
    const latent = best % pooled.d_sae;
    const sign = best < pooled.d_sae ? 1 : -1;
    const values = Array.from(items, (item) => latentValue(pooled, item, latent, sign));
    return { latent, sign, trainAuroc: columns[best]!, max: Math.max(...values) };
  });
}

function sparseAurocs(
  pooled: PooledLatents & { kind: 'sparse' },
  items: Uint32Array,
  labels: Uint8Array,
): Float64Array {
  const all = new Int8Array(pooled.items).fill(-1);
  items.forEach((item, i) => {
    all[item] = labels[i]!;
  });
  return latentAuroc(pooled.max, [all])[0]!;
}

/** AUROC of each latent, then of each negated one. */
function denseAurocs(pooled: PooledLatents & { kind: 'dense' }, items: Uint32Array, labels: Uint8Array): Float64Array {
  return Float64Array.from({ length: 2 * pooled.d_sae }, (_, column) => {
    const sign = column < pooled.d_sae ? 1 : -1;
    const values = Array.from(items, (item) => latentValue(pooled, item, column % pooled.d_sae, sign));
    return auroc(values, labels) ?? 0.5;
  });
}

/** Maximum over an item's positions of a latent, or of the negated latent. */
function latentValue(pooled: PooledLatents, item: number, latent: number, sign: 1 | -1): number {
  if (pooled.kind === 'dense') {
    return sign === 1 ? pooled.max[item * pooled.d_sae + latent]! : -pooled.min[item * pooled.d_sae + latent]!;
  }
  const { indptr, indices, values } = pooled.max;
  const at = indices.subarray(indptr[item]!, indptr[item + 1]!).indexOf(latent);
  return at < 0 ? 0 : values[indptr[item]! + at]!;
}
