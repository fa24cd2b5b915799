/** @file Scores of places, and what is told of two sets of them. */
import { auroc, joined } from '../../harness/kit/index.ts';

/** Scores items of the concept set and those behind them by a concept's detector. */
export type Score = (places: Uint32Array) => Float64Array;

/** AUROC of scores with a concept against those without it. */
export function aurocOf(positives: Float64Array, negatives: Float64Array): number {
  const scores = joined(Float64Array, [positives, negatives]);
  return auroc(scores, new Uint8Array(scores.length).fill(1, 0, positives.length))!;
}
