/** @file What the filter of positions left out at a site: the line for a person, and what results say. */
import { keptRows } from '../activations/activation-set.ts';
import type { PositionRule } from '../activations/positions.ts';
import type { ActivationSet } from '../contract.ts';
import type { EvaluationMeta, SiteActivations } from './evaluate.ts';

/** Rows of a set that its filter of positions left out. */
const leftOut = (set: ActivationSet): number =>
  set.unfiltered ? keptRows({ keep: set.unfiltered }) - keptRows(set) : 0;

/** What the filter leaves out, in one line. */
export function positionsLine(train: ActivationSet, { description }: PositionRule): string {
  const [gone, kept] = [leftOut(train), keptRows(train)];
  const share = ((100 * gone) / (gone + kept)).toPrecision(2);
  return `left out: ${description}; ${share} % of ${gone + kept} training rows (--positions sinks=keep keeps them)`;
}

/** The same for results. */
export function positionFacts(
  { measured, first, maxNorm, norm, tokens }: PositionRule,
  { train, test }: SiteActivations,
): EvaluationMeta['data']['positions'] {
  return {
    ...{ measured, first },
    ...(maxNorm === undefined ? {} : { maxNorm, norm: norm! }),
    ...(tokens.length > 0 ? { tokens: [...tokens] } : {}),
    leftOut: { train: leftOut(train), test: leftOut(test) },
  };
}
