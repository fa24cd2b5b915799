/**
 * @file The error of a mean over scores (of concepts) that comes from items which the scores share: prompts, images,
 * negatives. Clusters in two ways, by score and by item (Cameron, Gelbach & Miller 2011): to the variance between scores
 * comes that between items, less what both count.
 */

/** The influences of items on one score. */
export interface ItemInfluences {
  /** Item numbers, each at most once a score. */
  items: ArrayLike<number>;
  values: ArrayLike<number>;
}

/**
 * The part of the variance of a mean over scores (of concepts) which the spread between them does not show: the mean
 * covariance of two of them, through items that they share. With scores A_c = μ + α_c + e_c the spread between them
 * estimates var α + var e − cov e, over C; the mean has that plus cov e. Never below 0; 0 where no item is shared.
 */
export function sharedVariance(scores: readonly ItemInfluences[], items: number): number {
  const C = scores.length;
  if (C < 2) return 0;
  const sums = new Float64Array(items);
  let own = 0;
  for (const { items: places, values } of scores) {
    for (let i = 0; i < places.length; i++) {
      sums[places[i]!]! += values[i]!;
      own += values[i]! ** 2;
    }
  }
  const all = sums.reduce((sum, value) => sum + value ** 2, 0);
  return Math.max(0, (all - own) / (C * (C - 1)));
}

/**
 * {@link sharedVariance} with its degrees of freedom, corrected for influences being deviations from the mean over few
 * items; undefined where no error is shared.
 */
export function sharedPart(
  scores: readonly ItemInfluences[],
  items: number,
): { variance: number; df: number } | undefined {
  const variance = sharedVariance(scores, items);
  if (variance === 0) return undefined;
  const distinct = new Set(scores.flatMap((score) => Array.from(score.items))).size;
  return { variance: (variance * distinct) / (distinct - 1), df: distinct - 1 };
}

/** Influences of groups of items: those of the items of a group, which hang together, in one. */
export function byGroup(scores: readonly ItemInfluences[], groups: ArrayLike<number>): ItemInfluences[] {
  return scores.map(({ items, values }) => {
    const sums = new Map<number, number>();
    for (let i = 0; i < items.length; i++) {
      const group = groups[items[i]!]!;
      sums.set(group, (sums.get(group) ?? 0) + values[i]!);
    }
    return { items: [...sums.keys()], values: [...sums.values()] };
  });
}
