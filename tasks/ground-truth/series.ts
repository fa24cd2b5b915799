/** @file What a result keeps beside its metrics: recovery by frequency, and every feature's own numbers. */
import type { TaskOutcome } from '../../harness/contract.ts';
import type { Csr, FeatureMatch, Firing } from '../../harness/kit/index.ts';
import { matchedF1 } from './cells.ts';

/** Features that one point of the curve takes together: so many points. */
const POINTS = 16;
/** Features whose every number a result keeps. */
const DETAILS = 4096;

/** Mean |cos| of the matched latents of features about as frequent as one another, the rarest first. */
export function curvesOf({ matchedCosine }: FeatureMatch, truth: Csr): TaskOutcome['curves'] {
  const counts = new Uint32Array(truth.d_sae);
  for (const feature of truth.indices) counts[feature]!++;
  const order = [...counts.keys()].filter((feature) => counts[feature]! > 0);
  order.sort((a, b) => counts[a]! - counts[b]! || b - a);
  const points = Math.min(POINTS, order.length);
  const parts = Array.from({ length: points }, (_, i) =>
    order.slice(Math.floor((i * order.length) / points), Math.floor(((i + 1) * order.length) / points)),
  );
  const mean = (part: number[], of: (feature: number) => number) =>
    part.reduce((sum, feature) => sum + of(feature), 0) / part.length;
  return {
    'by-frequency': {
      x: parts.map((part) => mean(part, (feature) => counts[feature]! / truth.n)),
      y: parts.map((part) => mean(part, (feature) => matchedCosine[feature]!)),
    },
  };
}

/** By feature: |cos| of its matched and of its nearest latent, and F1 of the matched one; null where no row has it. */
export function detailsOf(match: FeatureMatch, firing: Firing): Record<string, unknown> {
  if (match.matched.length > DETAILS) return {};
  const rounded = (value: number) => (Number.isNaN(value) ? null : Math.round(value * 1e6) / 1e6);
  return {
    features: {
      matched: Array.from(match.matched),
      cosine: Array.from(match.matchedCosine, rounded),
      nearest: Array.from(match.nearestLatentCosine, rounded),
      f1: Array.from(matchedF1(match, firing), rounded),
    },
  };
}
