/** @file Precision, recall and average precision. */
import { countClasses } from '../classes.ts';
import { sweep } from './roc.ts';

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
  const { positives } = countClasses(labels);
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
