/** @file The ceiling: a supervised probe for each feature, trained on rows where it is known whether the feature is active. */
import {
  bestF1Threshold,
  type Csr,
  denseFeatures,
  detection,
  fitLogistic,
  type LogisticModel,
} from '../../harness/kit/index.ts';

/** Rows x [n, d] with the features that are active on them. */
export interface KnownRows {
  x: Float32Array;
  truth: Csr;
}

/** A probe needs so many rows of each class to be worth its name. */
const LEAST = 10;

/** Which of the rows have a feature. */
export function activityOf({ n, indptr, indices }: Csr, feature: number): Uint8Array {
  const active = new Uint8Array(n);
  for (let row = 0; row < n; row++) {
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) if (indices[at] === feature) active[row] = 1;
  }
  return active;
}

/** x scaled to unit variance by the moments of `of`, so that the penalty weighs every coordinate alike. */
function standardised(x: Float32Array, of: Float32Array, d: number): Float32Array {
  const n = of.length / d;
  const [mean, square] = [new Float64Array(d), new Float64Array(d)];
  for (let at = 0; at < of.length; at++) {
    mean[at % d]! += of[at]! / n;
    square[at % d]! += of[at]! ** 2 / n;
  }
  const deviation = square.map((value, j) => Math.sqrt(Math.max(value - mean[j]! ** 2, 0)) || 1);
  return x.map((value, at) => (value - mean[at % d]!) / deviation[at % d]!);
}

/**
 * F1 on the test rows of a logistic regression (C = 1, to convergence) for each of `features`, at the threshold of best F1
 * on the training rows; null where either has under {@link LEAST} rows with the feature, or without it.
 */
export function probeF1(
  train: KnownRows,
  test: KnownRows,
  d: number,
  features: readonly number[],
  step: (done: number) => void,
): (number | null)[] {
  const trainX = standardised(train.x, train.x, d);
  const [fit, held] = [
    denseFeatures(trainX, train.truth.n, d),
    denseFeatures(standardised(test.x, train.x, d), test.truth.n, d),
  ];
  const both = (labels: Uint8Array) => {
    const positives = labels.reduce((sum, label) => sum + label, 0);
    return positives >= LEAST && labels.length - positives >= LEAST;
  };
  const scores = (of: typeof fit, { weights, intercept }: LogisticModel) => {
    const out = new Float64Array(of.rows);
    of.times(weights, out);
    return out.map((score) => score + intercept);
  };
  return features.map((feature, at) => {
    step(at);
    const [labels, truth] = [activityOf(train.truth, feature), activityOf(test.truth, feature)];
    if (!both(labels) || !both(truth)) return null;
    const model = fitLogistic(fit, labels, { tolerance: 1e-5 });
    const positives = labels.reduce((sum, label) => sum + label, 0);
    const threshold = bestF1Threshold(scores(fit, model), labels, [positives, labels.length]);
    const fires = Uint8Array.from(scores(held, model), (score) => (score >= threshold ? 1 : 0));
    const hits = fires.reduce((sum, fired, row) => sum + (fired & truth[row]!), 0);
    const count = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0);
    return detection(hits, count(fires), count(truth)).f1;
  });
}
