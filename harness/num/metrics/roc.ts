/** @file AUROC and ROC curves of scores against binary labels. Higher scores speak for the positive class. */
import { countClasses } from '../classes.ts';

/** Version of these definitions, recorded with results. */
export const version = 1;

/** Points of a ROC curve, from (0, 0) to (1, 1). Point i accepts scores >= thresholds[i]; the first is Infinity. */
export interface RocCurve {
  fpr: number[];
  tpr: number[];
  thresholds: number[];
}

function assertPaired(scores: ArrayLike<number>, labels: ArrayLike<number | boolean>): void {
  if (scores.length !== labels.length) throw new RangeError(`${scores.length} scores with ${labels.length} labels`);
}

/**
 * Area under the ROC curve, exactly: the probability that a positive scores above a negative, ties counting one half
 * (rank statistic). Null when a class is empty.
 */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number | boolean>): number | null {
  assertPaired(scores, labels);
  const { positives, negatives, both } = countClasses(labels);
  if (!both) return null;
  const [of1, of0] = [new Float64Array(positives), new Float64Array(negatives)];
  for (let i = 0, p = 0, n = 0; i < scores.length; i++) {
    if (labels[i]) of1[p++] = scores[i]!;
    else of0[n++] = scores[i]!;
  }
  return sortedAuroc(of1.sort(), of0.sort());
}

/** The same from the scores of each class, ascending; both must have some. */
export function sortedAuroc(of1: Float32Array | Float64Array, of0: Float32Array | Float64Array): number {
  // Twice the number of pairs in the right order: of0[below] is the first that is not lower, of0[upTo] the first higher.
  let [doubled, below, upTo] = [0, 0, 0];
  for (let i = 0; i < of1.length; i++) {
    const score = of1[i]!;
    while (below < of0.length && of0[below]! < score) below++;
    while (upTo < of0.length && of0[upTo]! <= score) upTo++;
    doubled += below + upTo;
  }
  return doubled / (2 * of1.length * of0.length);
}

/** One step of a sweep from the highest score down: everything that scores at least `threshold` is accepted. */
export interface SweepPoint {
  threshold: number;
  truePositives: number;
  falsePositives: number;
}

/** Indices that sort `values` ascending; equal values keep their order. */
export function argsort(values: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
}

/** A point for each distinct score, descending. */
export function sweep(scores: ArrayLike<number>, labels: ArrayLike<number | boolean>): SweepPoint[] {
  assertPaired(scores, labels);
  const order = argsort(scores).reverse();
  const points: SweepPoint[] = [];
  let [truePositives, falsePositives] = [0, 0];
  order.forEach((item, i) => {
    if (labels[item]) truePositives++;
    else falsePositives++;
    const threshold = scores[item]!;
    const next = order[i + 1];
    if (next === undefined || scores[next] !== threshold) points.push({ threshold, truePositives, falsePositives });
  });
  return points;
}

/** The ROC curve, with a point for each distinct score. Null when a class is empty. */
export function rocCurve(scores: ArrayLike<number>, labels: ArrayLike<number | boolean>): RocCurve | null {
  const { positives, negatives, both } = countClasses(labels);
  if (!both) return null;
  const points = sweep(scores, labels);
  return {
    fpr: [0, ...points.map((point) => point.falsePositives / negatives)],
    tpr: [0, ...points.map((point) => point.truePositives / positives)],
    thresholds: [Infinity, ...points.map((point) => point.threshold)],
  };
}

/** TPR at `fpr` by linear interpolation; at a vertical rise its top, except at 0, where a curve starts at 0. */
function tprAt(curve: RocCurve, fpr: number): number {
  if (fpr <= 0) return 0;
  let right = curve.fpr.findIndex((x) => x > fpr);
  if (right < 0) right = curve.fpr.length;
  const left = right - 1;
  if (right === curve.fpr.length || curve.fpr[left] === fpr) return curve.tpr[left]!;
  const share = (fpr - curve.fpr[left]!) / (curve.fpr[right]! - curve.fpr[left]!);
  return curve.tpr[left]! + share * (curve.tpr[right]! - curve.tpr[left]!);
}

/** Vertical average of ROC curves (mean TPR on a fixed grid of `points` FPR values from 0 to 1), as AxBench plots it. */
export function averageRoc(curves: readonly RocCurve[], points = 101): { fpr: number[]; tpr: number[] } {
  const fpr = Array.from({ length: points }, (_, i) => i / (points - 1));
  const tpr = fpr.map((x) => curves.reduce((sum, curve) => sum + tprAt(curve, x), 0) / curves.length);
  return { fpr, tpr };
}
