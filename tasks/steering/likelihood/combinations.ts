/** @file Two concepts steered to at once: combinations that nothing was trained on, nor any factor chosen by. */
import type { MetricValue } from '../../../harness/contract.ts';
import { emptyCell, measuredCell } from '../../../harness/kit/index.ts';
import type { Applied } from '../applied.ts';
import type { Steering } from '../interventions.ts';
import { likelihoodMetrics, meanOverConcepts } from './metrics.ts';
import type { Asked } from './scores.ts';

/** Of two concepts, in their order: rises of PrefOdds on the reporting pairs of each. */
export interface Combination {
  concepts: [string, string];
  /** With the vectors of both added, each at its own factor. */
  both: [number, number];
  /** With its own vector alone. */
  alone: [number, number];
}

/** Neighbours in twos, each in one of them, `most` at most: no concept counts twice. */
export function inTwos<T>(all: readonly T[], most: number): [T, T][] {
  return Array.from({ length: Math.min(most, Math.floor(all.length / 2)) }, (_, i) => [all[2 * i]!, all[2 * i + 1]!]);
}

/** Several vectors that are added at the same positions, as one. @throws Error of what is not added */
export function added(all: readonly Applied[]): Steering {
  const vectors = all.map((each) => {
    if (each.kind !== 'add') throw new Error(`internal: '${each.kind}' is not added`);
    return each;
  });
  const sum = Float32Array.from(vectors[0]!.vector, (_, j) =>
    vectors.reduce((total, { vector, strength }) => total + strength * vector[j]!, 0),
  );
  const { at } = vectors[0]!;
  return { kind: 'add', vector: sum, strength: 1, ...(at && { at }) };
}

/** The cells of a row. @param missing Why there is no combination. */
export function combinationCells(
  combinations: readonly Combination[],
  { goal, least }: Pick<Asked, 'goal' | 'least'>,
  missing: string,
): Record<string, MetricValue> {
  const sign = goal === 'promote' ? 1 : -1;
  const mean = ([a, b]: [number, number]) => (sign * (a + b)) / 2;
  const values: Record<string, (combination: Combination) => number> = {
    both_gain: ({ both }) => mean(both),
    both_lost: ({ both, alone }) => mean(alone) - mean(both),
    both_hold: ({ both }) => (both.every((gain) => sign * gain >= least) ? 1 : 0),
  };
  const definitions = likelihoodMetrics(goal);
  return Object.fromEntries(
    Object.entries(values).map(([name, of]) => {
      const known = combinations.map(of).filter(Number.isFinite);
      if (known.length < combinations.length) return [name, emptyCell('a gain is no number', known.length)];
      return [name, measuredCell(meanOverConcepts(definitions[name]!, known, undefined), missing)];
    }),
  );
}
