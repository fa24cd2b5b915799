/** @file The two ways to fit a linear probe on tokens when only items have labels. */
import { tf } from '../../harness/contract.ts';
import { type ClassMoments, denseFeatures, fitLogistic, type LogisticModel } from '../../harness/kit/index.ts';
import type { TokenRows } from './token-rows.ts';

/**
 * `token`: every token with the label of its item (AxBench's probe). `instance`: multiple-instance learning (Andrews et
 * al. 2002, MI-SVM, here with logistic loss): a positive item is represented by its highest-scoring token, a negative
 * item by all of its tokens, in turns with fitting until the choice of tokens stays.
 */
export type Level = 'token' | 'instance';

/** Items with labels 1 and 0, and their standardised tokens; `items` are the ones to fit on. */
export interface ProbeData {
  tokens: TokenRows;
  labels: Uint8Array;
  items: Uint32Array;
  d: number;
  /** Of the tokens of all items, those to fit on or not. */
  moments: ClassMoments;
}

export interface FitSettings {
  level: Level;
  /** λ of mean loss + λ/2·‖w‖², classes weighted alike. */
  penalty: number;
  tolerance: number;
}

/** Rounds of choosing tokens and fitting; the choice nearly always stays after four or five. */
const ROUNDS = 10;

/** Shifts and scales each coordinate in place to mean 0 and deviation 1; returns the factors. A constant one becomes 0. */
export function standardise({ x, rows }: TokenRows, d: number): Float64Array {
  const mean = new Float64Array(d);
  const factor = new Float64Array(d);
  for (let row = 0; row < rows; row++) for (let i = 0; i < d; i++) mean[i]! += x[row * d + i]! / rows;
  for (let row = 0; row < rows; row++) for (let i = 0; i < d; i++) factor[i]! += (x[row * d + i]! - mean[i]!) ** 2;
  for (let i = 0; i < d; i++) {
    const deviation = Math.sqrt(factor[i]! / rows);
    // A spread within the rounding of float32 tells nothing.
    factor[i] = deviation > 1e-7 * Math.abs(mean[i]!) ? 1 / deviation : 0;
  }
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < d; i++) x[row * d + i] = (x[row * d + i]! - mean[i]!) * factor[i]!;
  }
  return factor;
}

/** The moments of the tokens of negative and positive items. */
export function tokenMoments(tokens: TokenRows, labels: Uint8Array, d: number): ClassMoments {
  const ofClass = (label: number) => {
    const items = [...labels.keys()].filter((item) => labels[item] === label);
    return moments(copyRows(tokens.x, rowsOf(tokens, items), d), d);
  };
  return { negative: ofClass(0), positive: ofClass(1) };
}

/** XᵀX / rows [d, d]: in float32, since it only shortens the way to a fit. */
function moments(x: Float32Array, d: number): Float64Array {
  const rows = x.length / d;
  const product = tf.tidy(() => {
    const matrix = tf.tensor2d(x, [rows, d]);
    return tf.div(tf.matMul(matrix, matrix, true), rows);
  });
  const values = Float64Array.from(product.dataSync());
  product.dispose();
  return values;
}

function copyRows(x: Float32Array, rows: ArrayLike<number>, d: number): Float32Array {
  const copy = new Float32Array(rows.length * d);
  for (let i = 0; i < rows.length; i++) copy.set(x.subarray(rows[i]! * d, (rows[i]! + 1) * d), i * d);
  return copy;
}

/** Rows of the tokens of `items`. */
function rowsOf({ bounds }: TokenRows, items: Iterable<number>): number[] {
  const rows: number[] = [];
  for (const item of items) for (let row = bounds[item]!; row < bounds[item + 1]!; row++) rows.push(row);
  return rows;
}

/** The highest-scoring row of an item, and its score. */
export function bestToken(
  { x, bounds }: TokenRows,
  item: number,
  weights: Float64Array,
): { row: number; score: number } {
  let best = { row: -1, score: -Infinity };
  for (let row = bounds[item]!; row < bounds[item + 1]!; row++) {
    let score = 0;
    for (let i = 0; i < weights.length; i++) score += weights[i]! * x[row * weights.length + i]!;
    if (score > best.score) best = { row, score };
  }
  return best;
}

/** A probe on standardised tokens; `start` is a model of similar settings. */
export function fitProbe(data: ProbeData, settings: FitSettings, start?: LogisticModel): LogisticModel {
  const { tokens, labels, items } = data;
  const positives = items.filter((item) => labels[item] === 1);
  const negatives = items.filter((item) => labels[item] === 0);
  const ofNegatives = copyRows(tokens.x, rowsOf(tokens, negatives), data.d);
  const fit = (positiveRows: ArrayLike<number>, from?: LogisticModel) =>
    fitRows(data, positiveRows, ofNegatives, settings, from);
  let model = start ?? fit(rowsOf(tokens, positives));
  if (settings.level === 'token') return start ? fit(rowsOf(tokens, positives), start) : model;
  let chosen = new Uint32Array(0);
  for (let round = 0; round < ROUNDS; round++) {
    const next = positives.map((item) => bestToken(tokens, item, model.weights).row);
    if (round > 0 && next.every((row, i) => row === chosen[i])) break;
    chosen = next;
    model = fit(chosen, model);
  }
  return model;
}

function fitRows(
  { tokens, d, moments: ofTokens }: ProbeData,
  positives: ArrayLike<number>,
  negatives: Float32Array,
  { level, penalty, tolerance }: FitSettings,
  start?: LogisticModel,
): LogisticModel {
  const ofPositives = copyRows(tokens.x, positives, d);
  const rows = positives.length + negatives.length / d;
  const chosen = new Float32Array(rows * d);
  chosen.set(ofPositives);
  chosen.set(negatives, ofPositives.length);
  const labels = new Uint8Array(rows).fill(1, 0, positives.length);
  const positive = level === 'instance' ? moments(ofPositives, d) : ofTokens.positive;
  return fitLogistic(denseFeatures(chosen, rows, d), labels, {
    C: 1 / (penalty * rows),
    classWeight: 'balanced',
    tolerance,
    start,
    moments: { ...ofTokens, positive },
  });
}
