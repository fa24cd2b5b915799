/** @file What a fitted method does on whole items: how well its latents tell each concept. */
import type { LabelledActivations, PooledLatents } from '../contract/methods.ts';
import { type Csr, csrFromDense } from '../num/csr.ts';
import { latentAuroc } from '../num/metrics/latent-auroc.ts';
import type { KeyLatent } from '../schema/assessment-key.generated.ts';

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
