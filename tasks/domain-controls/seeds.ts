/** @file Whether another training seed finds the same: the latents that two seeds choose for a concept, side by side. */
import type { FittedMethod } from '../../harness/contract.ts';
import { bestLatents, type Candidates, joined, rankCorrelation } from '../../harness/kit/index.ts';
import type { ConceptSplit } from '../concept-detection/splits.ts';

/** What two seeds of one method say of a concept. */
export interface SeedAgreement {
  /** Cosine of what the two chosen latents add; null where a method has no directions. */
  cosine: number | null;
  /** Spearman's rank correlation of the two latents over the held-out items; null where one of them is constant there. */
  agreement: number | null;
  latent: number;
}

/** By concept. @param chosen The latents of the method itself, with their signs. */
export function seedAgreements(
  splits: readonly ConceptSplit[],
  { method, candidates, chosen }: { method: FittedMethod; candidates: Candidates; chosen: readonly number[] },
  other: { method: FittedMethod; candidates: Candidates },
): SeedAgreement[] {
  const best = bestLatents(
    other.candidates,
    splits.map(({ train }) => train),
  );
  const [own, theirs] = [method.directions?.(), other.method.directions?.()];
  const { d_in } = method;
  return splits.map((split, c) => {
    const [a, b] = [chosen[c]!, best[c]!.candidate];
    const places = joined(Uint32Array, [split.positives, split.negatives]);
    const [x, y] = [candidates.values(a, places), other.candidates.values(b, places)];
    const pairs = Array.from(places, (_, i) => ({ unit: 'items', x: x[i]!, y: y[i]! }));
    const sign = candidates.signOf(a) * other.candidates.signOf(b);
    const cosine =
      own && theirs
        ? sign * dot(own, candidates.latentOf(a) * d_in, theirs, other.candidates.latentOf(b) * d_in, d_in)
        : null;
    return { cosine, agreement: rankCorrelation(pairs)?.value ?? null, latent: other.candidates.latentOf(b) };
  });
}

function dot(a: Float32Array, from: number, b: Float32Array, start: number, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += a[from + i]! * b[start + i]!;
  // Unit vectors, but for rounding.
  return Math.max(-1, Math.min(1, sum));
}
