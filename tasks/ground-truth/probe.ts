/** @file The ceiling: a supervised probe for each feature, trained on rows where it is known whether the feature is active. */
import {
  bestF1Threshold,
  type ClassCounts,
  type Csc,
  type Csr,
  countClasses,
  csrToCsc,
  decisionScores,
  denseFeatures,
  detection,
  fitLogistic,
  rowsOf,
} from '../../harness/kit/index.ts';

/** Rows x [n, d] with the features that are active on them. */
export interface KnownRows {
  x: Float32Array;
  truth: Csr;
}

/** A probe needs so many rows of each class to be worth its name. */
const LEAST = 10;

/** Which of `n` rows have a feature. */
function activityOf(known: Csc, n: number, feature: number): Uint8Array {
  const active = new Uint8Array(n);
  for (const row of rowsOf(known, feature)) active[row] = 1;
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
 * on the training rows; null where either has under {@link LEAST} rows with the feature, or without it. `step` comes before
 * each.
 */
export async function probeF1(
  train: KnownRows,
  test: KnownRows,
  d: number,
  features: readonly number[],
  step: (done: number) => Promise<void>,
): Promise<(number | null)[]> {
  const trainX = standardised(train.x, train.x, d);
  const [fit, held] = [
    denseFeatures(trainX, train.truth.n, d),
    denseFeatures(standardised(test.x, train.x, d), test.truth.n, d),
  ];
  const [known, wanted] = [csrToCsc(train.truth), csrToCsc(test.truth)];
  const enough = ({ positives, negatives }: ClassCounts) => positives >= LEAST && negatives >= LEAST;
  const f1Of = (feature: number) => {
    const labels = activityOf(known, fit.rows, feature);
    const truth = activityOf(wanted, held.rows, feature);
    const [trained, tested] = [countClasses(labels), countClasses(truth)];
    if (!enough(trained) || !enough(tested)) return null;
    const model = fitLogistic(fit, labels, { tolerance: 1e-5 });
    const threshold = bestF1Threshold(decisionScores(fit, model), labels, [trained.positives, labels.length]);
    const fires = Uint8Array.from(decisionScores(held, model), (score) => (score >= threshold ? 1 : 0));
    const hits = fires.reduce((sum, fired, row) => sum + (fired & truth[row]!), 0);
    return detection(hits, countClasses(fires).positives, tested.positives).f1;
  };
  const f1s: (number | null)[] = [];
  for (const feature of features) {
    await step(f1s.length);
    f1s.push(f1Of(feature));
  }
  return f1s;
}
