/** @file L2-regularised logistic regression, solved to convergence by a truncated Newton method in float64. */
import { countClasses } from './classes.ts';
import type { Features } from './features.ts';
import { cholesky, choleskySolve } from './linalg.ts';

/** Options of `fitLogistic`. */
export interface LogisticOptions {
  /** Inverse regularisation strength as in scikit-learn: minimises ½‖w‖² + C Σ loss. Default 1. */
  C?: number;
  /** Weights of the negative and the positive class, or 'balanced': rows / (2 · rows of the class). Default 1 each. */
  classWeight?: 'balanced' | readonly [negative: number, positive: number];
  /** Stops when the largest gradient component, divided by C times the sum of sample weights, is below. Default 1e-9. */
  tolerance?: number;
  /** Default 200 Newton steps. */
  maxIterations?: number;
  /** Where to start: the answer is the same, sooner when it is near. Default all zero. */
  start?: Pick<LogisticModel, 'weights' | 'intercept'>;
  /** Where known, for the same answer sooner: columns that are correlated cost many steps without. */
  moments?: ClassMoments;
}

/** XᵀX / rows [cols, cols] of the rows of each class, or of rows like them. */
export interface ClassMoments {
  negative: Float64Array;
  positive: Float64Array;
}

/** A fitted model: decision = x · weights + intercept, probability = sigmoid(decision). */
export interface LogisticModel {
  weights: Float64Array;
  intercept: number;
  iterations: number;
  converged: boolean;
}

/** log(1 + e^z) without overflow. */
const softplus = (z: number) => (z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)));

const dot = (a: Float64Array, b: Float64Array) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** The objective as a function of one vector: the weights, then the intercept (not penalised). */
function createObjective(features: Features, labels: ArrayLike<number | boolean>, sampleWeights: Float64Array) {
  const { rows, cols } = features;
  const z = new Float64Array(rows);
  const residual = new Float64Array(rows);
  const curvature = new Float64Array(rows);
  const scores = (theta: Float64Array) => {
    features.times(theta.subarray(0, cols), z);
    for (let i = 0; i < rows; i++) z[i]! += theta[cols]!;
  };
  const penalty = (theta: Float64Array) => {
    const w = theta.subarray(0, cols);
    return 0.5 * dot(w, w);
  };
  return {
    loss(theta: Float64Array): number {
      scores(theta);
      let sum = penalty(theta);
      for (let i = 0; i < rows; i++) sum += sampleWeights[i]! * softplus(labels[i] ? -z[i]! : z[i]!);
      return sum;
    },
    /** Fills `out` with the gradient at `theta`, of which the loss was asked last, and remembers the curvature there. */
    gradient(theta: Float64Array, out: Float64Array): void {
      let total = 0;
      for (let i = 0; i < rows; i++) {
        const p = 1 / (1 + Math.exp(-z[i]!));
        residual[i] = sampleWeights[i]! * (p - (labels[i] ? 1 : 0));
        curvature[i] = sampleWeights[i]! * p * (1 - p);
        total += residual[i]!;
      }
      features.transposeTimes(residual, out.subarray(0, cols));
      for (let c = 0; c < cols; c++) out[c]! += theta[c]!;
      out[cols] = total;
    },
    hessianTimes(v: Float64Array, out: Float64Array): void {
      out[cols] = features.curvatureTimes(v.subarray(0, cols), v[cols]!, curvature, out.subarray(0, cols));
      for (let c = 0; c < cols; c++) out[c]! += v[c]!;
    },
    /** Sums of the curvatures of the negative and the positive rows. */
    classCurvatures(): [number, number] {
      const sums: [number, number] = [0, 0];
      for (let i = 0; i < rows; i++) sums[labels[i] ? 1 : 0] += curvature[i]!;
      return sums;
    },
  };
}

type Objective = ReturnType<typeof createObjective>;

/** Applies the inverse of something like the Hessian at the present point. */
type Precondition = (residual: Float64Array) => Float64Array;

/** The Hessian if all rows of a class had the same curvature, and features the mean 0. */
function likeHessian(objective: Objective, moments: ClassMoments | undefined, cols: number): Precondition {
  if (!moments) return (residual) => residual;
  const { negative, positive } = moments;
  const [ofNegative, ofPositive] = objective.classCurvatures();
  const total = ofNegative + ofPositive;
  // The lower triangle, which is all that is read.
  const matrix = new Float64Array(cols * cols);
  for (let row = 0; row < cols; row++) {
    for (let at = row * cols; at <= row * cols + row; at++) {
      matrix[at] = ofNegative * negative[at]! + ofPositive * positive[at]!;
    }
    matrix[row * cols + row]! += 1;
  }
  const factor = cholesky(matrix, cols);
  return (residual) => {
    const out = new Float64Array(cols + 1);
    out.set(choleskySolve(factor, residual.subarray(0, cols)));
    out[cols] = total > 0 ? residual[cols]! / total : residual[cols]!;
    return out;
  };
}

/** A step s with H s ≈ -g, by preconditioned conjugate gradients until the residual falls to `target`. */
function newtonStep(
  objective: Objective,
  gradient: Float64Array,
  target: number,
  precondition: Precondition,
): Float64Array {
  const size = gradient.length;
  const step = new Float64Array(size);
  const residual = gradient.map((g) => -g);
  let better = precondition(residual);
  const direction = Float64Array.from(better);
  const image = new Float64Array(size);
  let energy = dot(residual, better);
  for (let iteration = 0; iteration < 20 * size && Math.sqrt(dot(residual, residual)) > target; iteration++) {
    objective.hessianTimes(direction, image);
    const bend = dot(direction, image);
    // Flat along this direction to rounding: the intercept of perfectly fitted rows.
    if (!(bend > 1e-300)) break;
    const length = energy / bend;
    for (let i = 0; i < size; i++) {
      step[i]! += length * direction[i]!;
      residual[i]! -= length * image[i]!;
    }
    better = precondition(residual);
    const next = dot(residual, better);
    for (let i = 0; i < size; i++) direction[i] = better[i]! + (next / energy) * direction[i]!;
    energy = next;
  }
  return step;
}

function sampleWeightsOf(labels: ArrayLike<number | boolean>, C: number, classWeight: LogisticOptions['classWeight']) {
  const rows = labels.length;
  const { positives, negatives, both } = countClasses(labels);
  if (!both) {
    throw new RangeError(`logistic regression: needs both classes, got ${positives} positives of ${rows} rows`);
  }
  const balanced = [rows / (2 * negatives), rows / (2 * positives)] as const;
  const [negative, positive] = classWeight === 'balanced' ? balanced : (classWeight ?? [1, 1]);
  return Float64Array.from({ length: rows }, (_, i) => C * (labels[i] ? positive : negative));
}

/**
 * Fits labels (truthy: positive) to features. The problem is strictly convex, so the answer does not depend on the
 * start and equals that of any other solver run to convergence.
 *
 * @throws RangeError when the labels have one class only or their number does not fit
 */
export function fitLogistic(
  features: Features,
  labels: ArrayLike<number | boolean>,
  options: LogisticOptions = {},
): LogisticModel {
  const { C = 1, classWeight, tolerance = 1e-9, maxIterations = 200, moments } = options;
  if (labels.length !== features.rows) {
    throw new RangeError(`logistic regression: ${labels.length} labels for ${features.rows} rows`);
  }
  if (!(C > 0 && C < Infinity)) throw new RangeError(`logistic regression: C must be positive, got ${C}`);
  const sampleWeights = sampleWeightsOf(labels, C, classWeight);
  const scale = sampleWeights.reduce((sum, weight) => sum + weight, 0);
  const objective = createObjective(features, labels, sampleWeights);
  const theta = new Float64Array(features.cols + 1);
  if (options.start) {
    theta.set(options.start.weights);
    theta[features.cols] = options.start.intercept;
  }
  const gradient = new Float64Array(theta.length);
  const largestOf = (g: Float64Array) => g.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / scale;
  let loss = objective.loss(theta);
  let iterations = 0;
  let converged = false;
  for (; ; iterations++) {
    objective.gradient(theta, gradient);
    const largest = largestOf(gradient);
    if (!Number.isFinite(largest)) throw new RangeError('logistic regression: a feature is not finite');
    converged = largest <= tolerance;
    if (converged || iterations === maxIterations) break;
    const norm = Math.sqrt(dot(gradient, gradient));
    const target = Math.min(0.1, Math.sqrt(norm / scale)) * norm;
    const step = newtonStep(objective, gradient, target, likeHessian(objective, moments, features.cols));
    const slope = dot(gradient, step);
    const trial = new Float64Array(theta.length);
    let length = 1;
    let next = Number.NaN;
    do {
      for (let i = 0; i < theta.length; i++) trial[i] = theta[i]! + length * step[i]!;
      next = objective.loss(trial);
      length /= 2;
    } while (!(next <= loss + 2e-4 * length * slope) && length > 1e-10);
    if (!(next < loss)) {
      // At the limit of float64 the loss tells no more: whole steps go on while the gradient falls by half.
      for (let i = 0; i < theta.length; i++) trial[i] = theta[i]! + step[i]!;
      next = objective.loss(trial);
      objective.gradient(trial, gradient);
      if (!(next - loss <= 1e-12 * Math.abs(loss) && largestOf(gradient) <= largest / 2)) {
        converged = largest <= 1e-6;
        break;
      }
    }
    theta.set(trial);
    loss = next;
  }
  return { weights: theta.slice(0, features.cols), intercept: theta[features.cols]!, iterations, converged };
}

/** x · weights + intercept for each row. */
export function decisionScores(features: Features, model: LogisticModel): Float64Array {
  const out = new Float64Array(features.rows);
  features.times(model.weights, out);
  return out.map((score) => score + model.intercept);
}
