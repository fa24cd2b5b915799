/** @file Precision, recall, F1 and average precision. Thresholds are chosen on one set and applied to another. */
import { countPositives, sweep } from './roc.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

/** Points of a precision-recall curve, by rising recall. Point i accepts scores >= thresholds[i]. */
export interface PrCurve {
  precision: number[];
  recall: number[];
  thresholds: number[];
}

/** The curve, with a point for each distinct score. Null when there are no positives. */
export function prCurve(scores: ArrayLike<number>, labels: ArrayLike<number | boolean>): PrCurve | null {
  const positives = countPositives(labels);
  if (positives === 0) return null;
  const points = sweep(scores, labels);
  return {
    precision: points.map(({ truePositives, falsePositives }) => truePositives / (truePositives + falsePositives)),
    recall: points.map(({ truePositives }) => truePositives / positives),
    thresholds: points.map(({ threshold }) => threshold),
  };
}

/** Average precision Σ (R_i - R_{i-1}) P_i, as scikit-learn defines it. Null when there are no positives. */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number | boolean>): number | null {
  const curve = prCurve(scores, labels);
  if (!curve) return null;
  let [sum, previous] = [0, 0];
  curve.recall.forEach((recall, i) => {
    sum += (recall - previous) * curve.precision[i]!;
    previous = recall;
  });
  return sum;
}

/** What a threshold gives. Precision is 0 where nothing is accepted, recall and F1 are 0 where there are no positives. */
export interface Classification {
  precision: number;
  recall: number;
  f1: number;
  accuracy: number;
}

/** Accepts scores >= threshold. */
export function classifyAt(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
  threshold: number,
): Classification {
  let [truePositives, accepted, right] = [0, 0, 0];
  for (let i = 0; i < scores.length; i++) {
    const accept = scores[i]! >= threshold;
    if (accept) accepted++;
    if (accept && labels[i]) truePositives++;
    if (accept === Boolean(labels[i])) right++;
  }
  const positives = countPositives(labels);
  return {
    precision: accepted === 0 ? 0 : truePositives / accepted,
    recall: positives === 0 ? 0 : truePositives / positives,
    f1: accepted + positives === 0 ? 0 : (2 * truePositives) / (accepted + positives),
    accuracy: scores.length === 0 ? 0 : right / scores.length,
  };
}

/**
 * The threshold with the greatest F1, to be chosen on training data and applied with `classifyAt`. It lies midway
 * between the last accepted and the first rejected score, so that it does not sit on a training example; among equal
 * F1 the highest. Null when there are no positives.
 */
export function bestF1Threshold(
  scores: ArrayLike<number>,
  labels: ArrayLike<number | boolean>,
): { threshold: number; f1: number } | null {
  const positives = countPositives(labels);
  if (positives === 0) return null;
  const points = sweep(scores, labels);
  const f1 = points.map(
    (point) => (2 * point.truePositives) / (point.truePositives + point.falsePositives + positives),
  );
  const best = f1.reduce((leader, value, i) => (value > f1[leader]! ? i : leader), 0);
  const below = points[best + 1]?.threshold;
  const at = points[best]!.threshold;
  return { threshold: below === undefined ? at : (at + below) / 2, f1: f1[best]! };
}
