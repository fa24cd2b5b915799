/** @file What is reported of the MS scores of a dictionary. */
import { momentsOf, variance } from '../stats/moments.ts';
import { quantiles } from '../stats/quantiles.ts';
import type { MsScores, MsStatus } from './monosemanticity.ts';

/** Version of this definition, recorded with results. */
export const version = 1;

/** Summary over the scored latents; null where there is none. Latents without a score are counted, never filled in. */
export interface MsSummary {
  mean: number | null;
  /** Sample standard deviation. */
  std: number | null;
  min: number | null;
  max: number | null;
  /** At 0.05, 0.25, 0.5, 0.75 and 0.95. */
  quantiles: (number | null)[];
  uniformFloor: number;
  counts: Record<MsStatus, number>;
  /** Scored latents that were left out for too little support. */
  belowSupport: number;
}

/** The quantiles that a summary lists. */
export const SUMMARY_QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

/** Scores by latent, NaN where they do not count: not scored, or carried by fewer than `minEffective` effective items. */
export function scoresWithSupport({ scores, status, effectiveItems }: MsScores, minEffective: number): Float64Array {
  return scores.map((score, f) => (status[f] === 'scored' && effectiveItems[f]! >= minEffective ? score : Number.NaN));
}

/** The scores that count: scored, and carried by at least `minEffective` effective items. */
export function supportedScores(ms: MsScores, minEffective = 0): Float64Array {
  return scoresWithSupport(ms, minEffective).filter((score) => !Number.isNaN(score));
}

/**
 * @param minEffective leaves out latents whose score rests on fewer effective items: two near-duplicate images give a
 *   score of 1 to a latent that fires on both and nowhere else. Default 0: all scored latents, as in the paper.
 */
export function summariseMs(ms: MsScores, minEffective = 0): MsSummary {
  const kept = supportedScores(ms, minEffective);
  const counts: Record<MsStatus, number> = { scored: 0, dead: 0, constant: 0, single: 0 };
  for (const status of ms.status) counts[status]++;
  const moments = momentsOf(kept);
  const spread = variance(moments);
  const [min, ...rest] = quantiles(kept, [0, ...SUMMARY_QUANTILES, 1]);
  return {
    mean: kept.length === 0 ? null : moments.mean,
    std: spread === null ? null : Math.sqrt(spread),
    min: min!,
    max: rest.at(-1)!,
    quantiles: rest.slice(0, -1),
    uniformFloor: ms.uniformFloor,
    counts,
    belowSupport: counts.scored - kept.length,
  };
}
