/** @file What a fitted method does on items: its latents on each whole item, and one latent's values on the tokens of one. */
import type { FittedMethod, LabelledActivations, PooledLatents } from '../contract/methods.ts';
import type { ActivationSet } from '../contract.ts';
import { disposeCodes } from '../kit/codes.ts';
import { type Csr, csrFromDense } from '../num/csr.ts';
import { latentAuroc } from '../num/metrics/latent-auroc.ts';
import { peek } from '../num/peek.ts';
import { tf } from '../num/tf.ts';
import type { KeyLatent } from '../schema/assessment-key.generated.ts';

/** Values of latents on the rows of one item, those that do not count at 0: latent → [rows]. */
export async function rowValues(
  method: Pick<FittedMethod, 'encode'>,
  set: ActivationSet,
  item: number,
  latents: readonly number[],
): Promise<Map<number, Float32Array>> {
  const [first, end] = [set.bounds[item]!, set.bounds[item + 1]!];
  const rows = Array.from({ length: end - first }, (_, i) => i).filter((i) => set.keep[first + i] === 1);
  const found = new Map(latents.map((latent) => [latent, new Float32Array(end - first)]));
  if (rows.length === 0) return found;
  const all = await set.read(first, end);
  const kept = new Float32Array(rows.length * set.d_in);
  rows.forEach((row, i) => {
    kept.set(all.subarray(row * set.d_in, (row + 1) * set.d_in), i * set.d_in);
  });
  const codes = tf.tidy(() => method.encode!(tf.tensor2d(kept, [rows.length, set.d_in])));
  try {
    const values = (await peek(codes.values)) as Float32Array;
    const width = codes.values.shape[1];
    if (codes.kind === 'dense') {
      for (const [latent, own] of found) {
        for (const [i, row] of rows.entries()) own[row] = values[i * width + latent]!;
      }
    } else {
      const indices = await peek(codes.indices);
      rows.forEach((row, i) => {
        for (let at = i * width; at < (i + 1) * width; at++) {
          const own = found.get(indices[at]!);
          if (own && values[at] !== 0) own[row] = values[at]!;
        }
      });
    }
    return found;
  } finally {
    disposeCodes(codes);
  }
}

const codesOf = (pooled: PooledLatents): Csr =>
  pooled.kind === 'sparse' ? pooled.max : csrFromDense(pooled.max, pooled.items, pooled.d_sae);

/** Of each concept 1 for its positives of a split, 0 for its negatives, −1 for all else. */
function labelsOf({ set, examples }: LabelledActivations, split: 'train' | 'eval'): Int8Array[] {
  return set.concepts.map((_, concept) => {
    const labels = new Int8Array(set.items.length).fill(-1);
    const found = examples(concept, split);
    found.items.forEach((item, i) => {
      labels[item] = found.labels[i]!;
    });
    return labels;
  });
}

/** Of each latent: the concept that it tells best on training items, and its AUROC on held-out ones. */
export function detectionScores(
  pooled: PooledLatents,
  labelled: LabelledActivations,
  latents: readonly number[],
): KeyLatent['detection'][] {
  const codes = codesOf(pooled);
  const [train, held] = (['train', 'eval'] as const).map((split) => latentAuroc(codes, labelsOf(labelled, split)));
  return latents.map((latent) => {
    let best = -1;
    for (const [concept, aurocs] of train!.entries()) {
      if (aurocs[latent]! > (best < 0 ? 0 : train![best]![latent]!)) best = concept;
    }
    const auroc = held![best]?.[latent];
    const concept = labelled.set.concepts[best];
    if (!concept || auroc === undefined || !Number.isFinite(auroc)) return null;
    return { concept: concept.id, label: concept.label, auroc };
  });
}
