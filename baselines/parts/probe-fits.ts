/** @file The two ways to fit a linear probe on tokens when only items have labels. */
import { denseFeatures, fitLogistic, type LogisticModel } from '../../harness/contract.ts';
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
  const negativeRows = rowsOf(
    tokens,
    items.filter((item) => labels[item] === 0),
  );
  const fit = (positiveRows: ArrayLike<number>, from?: LogisticModel) =>
    fitRows(data, positiveRows, negativeRows, settings, from);
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
  { tokens, d }: ProbeData,
  positives: ArrayLike<number>,
  negatives: ArrayLike<number>,
  { penalty, tolerance }: FitSettings,
  start?: LogisticModel,
): LogisticModel {
  const rows = positives.length + negatives.length;
  const chosen = new Float32Array(rows * d);
  for (let i = 0; i < rows; i++) {
    const row = i < positives.length ? positives[i]! : negatives[i - positives.length]!;
    chosen.set(tokens.x.subarray(row * d, (row + 1) * d), i * d);
  }
  const labels = new Uint8Array(rows).fill(1, 0, positives.length);
  const options = { C: 1 / (penalty * rows), classWeight: 'balanced', tolerance, start } as const;
  return fitLogistic(denseFeatures(chosen, rows, d), labels, options);
}
