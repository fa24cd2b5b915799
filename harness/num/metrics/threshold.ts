/** @file Thresholds on scores: chosen by F1 on one set, applied to another, at a given share of positives. */

/** Version of these definitions, recorded with results. */
export const version = 2;

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

/** A share of positives as a fraction of whole numbers, `[part, whole]`: 1 % is `[1, 100]`. */
export type Share = readonly [part: number, whole: number];

/** What is accepted at one cut: positives and negatives. */
interface Accepted {
  hits: number;
  falseAlarms: number;
}

/**
 * Whether `a` has the higher F1 (positive: yes, 0: equal, negative: no), in whole numbers: F1 = 2x ÷ (1 + x), with
 * x = π·TPR ÷ ((1−π)·FPR + π), so cross-products of x decide, and what is equal is not parted by rounding.
 */
function compareF1(a: Accepted, b: Accepted, positives: number, negatives: number, [part, whole]: Share): bigint {
  const weight = ({ falseAlarms }: Accepted) =>
    (BigInt(whole - part) * BigInt(falseAlarms) + BigInt(part) * BigInt(negatives)) * BigInt(positives);
  return BigInt(a.hits) * weight(b) - BigInt(b.hits) * weight(a);
}

/** Relative difference of two F1 in floating point beyond which rounding cannot have made it. */
const CLEAR = 1e-9;

/**
 * The threshold t of best F1 for "score ≥ t is positive" at the given prior, on scores with labels 1 and 0. It lies half-way
 * between the lowest accepted and the highest rejected score, so that it has the same margin to both sides; when
 * everything is accepted it is the lowest score. The highest such threshold wins a tie, and ties are told exactly.
 * Labels must hold both classes.
 */
export function bestF1Threshold(scores: ArrayLike<number>, labels: ArrayLike<number>, prior: Share): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const positives = order.reduce((sum, i) => sum + labels[i]!, 0);
  const negatives = order.length - positives;
  const share = prior[0] / prior[1];
  let best: (Accepted & { f1: number }) | undefined;
  let threshold = scores[order[0]!]!;
  let hits = 0;
  let falseAlarms = 0;
  order.forEach((i, rank) => {
    if (labels[i] === 1) hits++;
    else falseAlarms++;
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[i]) return;
    const here = { hits, falseAlarms, f1: f1AtPrior(hits / positives, falseAlarms / negatives, share) };
    if (best) {
      const near = Math.abs(here.f1 - best.f1) <= CLEAR * best.f1;
      if (near ? compareF1(here, best, positives, negatives, prior) <= 0n : here.f1 < best.f1) return;
    }
    best = here;
    threshold = next === undefined ? scores[i]! : scores[i]! / 2 + scores[next]! / 2;
  });
  return threshold;
}

/** F_β of `hits` true positives among `found` detected and `wanted` true ones; 0 where nothing is hit. */
export function fBeta(hits: number, found: number, wanted: number, beta: number): number {
  const square = beta * beta;
  return hits === 0 ? 0 : ((1 + square) * hits) / (square * wanted + found);
}

/** Values of a latent on the items on which it is above 0, from the highest down. */
export interface RankedValues {
  items: Uint32Array;
  values: Float32Array;
}

/** How many of the ranked items are at or above a threshold, which lies half-way to the next value. */
export interface Cut {
  count: number;
  threshold: number;
}

/**
 * The cut of best F_β with the items that are wanted; the fewest items among equals, and items of equal value are taken
 * together. Where all are taken the threshold is 0: the latent fires where it is above 0. Nothing is taken, at the
 * highest value, where no item is wanted.
 *
 * @param shown [items] 1 where the item is wanted, `wanted` of them
 */
export function bestCut({ items, values }: RankedValues, shown: ArrayLike<number>, wanted: number, beta: number): Cut {
  let [count, top, hits] = [0, 0, 0];
  for (let i = 0; i < items.length; i++) {
    hits += shown[items[i]!]!;
    if (values[i] === values[i + 1]) continue;
    const score = fBeta(hits, i + 1, wanted, beta);
    if (score > top) [count, top] = [i + 1, score];
  }
  if (count === items.length) return { count, threshold: 0 };
  return { count, threshold: count === 0 ? values[0]! : values[count - 1]! / 2 + values[count]! / 2 };
}
