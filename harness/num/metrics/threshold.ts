/** @file Thresholds on scores: chosen by F1 on one set, applied to another, at a given share of positives. */

/** Version of these definitions, recorded with results. */
export const version = 1;

/**
 * F1 where positives make up the share `prior` of all examples, from the rates of true and false positives:
 * precision = π·TPR / (π·TPR + (1−π)·FPR), recall = TPR. 0 where nothing is detected.
 */
export function f1AtPrior(tpr: number, fpr: number, prior: number): number {
  const hits = prior * tpr;
  return hits === 0 ? 0 : (2 * hits) / (hits + (1 - prior) * fpr + prior);
}

/** Share of `scores` at or above `threshold`; 0 of none. */
export function shareAbove(scores: ArrayLike<number>, threshold: number): number {
  let above = 0;
  for (let i = 0; i < scores.length; i++) if (scores[i]! >= threshold) above++;
  return scores.length === 0 ? 0 : above / scores.length;
}

/**
 * The threshold t of best F1 for "score ≥ t is positive" at the given prior, on scores with labels 1 and 0. It lies half-way
 * between the lowest accepted and the highest rejected score, so that it has the same margin to both sides; when
 * everything is accepted it is the lowest score. The highest such threshold wins a tie. Labels must hold both classes.
 */
export function bestF1Threshold(scores: ArrayLike<number>, labels: ArrayLike<number>, prior: number): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const positives = order.reduce((sum, i) => sum + labels[i]!, 0);
  const negatives = order.length - positives;
  let best = -1;
  let threshold = scores[order[0]!]!;
  let hits = 0;
  let falseAlarms = 0;
  order.forEach((i, rank) => {
    if (labels[i] === 1) hits++;
    else falseAlarms++;
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[i]) return;
    const f1 = f1AtPrior(hits / positives, falseAlarms / negatives, prior);
    if (f1 > best) {
      best = f1;
      threshold = next === undefined ? scores[i]! : scores[i]! / 2 + scores[next]! / 2;
    }
  });
  return threshold;
}
