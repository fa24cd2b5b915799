/** @file Is an SAE of the domain better than one of general text? The latents that the two choose for a concept, on the same items. */
import type { LabelledActivations, TaskContext } from '../../harness/contract.ts';
import { bestLatents, createCandidates } from '../../harness/kit/index.ts';
import type { ConceptSplit } from '../concept-detection/splits.ts';
import type { HeldOut } from './beyond.ts';

/** What the same method trained on general text says of a concept. */
export interface GeneralLatent {
  latent: number;
  heldOut: HeldOut;
}

/** By concept, of the latent of best training AUROC; undefined where the suite has no such method. */
export async function generalLatents(
  { general }: Pick<TaskContext<unknown>, 'general'>,
  { activations }: LabelledActivations,
  splits: readonly ConceptSplit[],
): Promise<GeneralLatent[] | undefined> {
  const other = await general?.();
  if (!other?.method.encode) return undefined;
  const candidates = createCandidates(await other.latents(activations));
  const best = bestLatents(
    candidates,
    splits.map(({ train }) => train),
  );
  return splits.map(({ positives, negatives }, c) => {
    const { candidate } = best[c]!;
    const heldOut = {
      positives: candidates.values(candidate, positives),
      negatives: candidates.values(candidate, negatives),
    };
    return { latent: candidates.latentOf(candidate), heldOut };
  });
}
