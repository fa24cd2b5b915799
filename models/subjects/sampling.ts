/** @file Choosing tokens: greedy, top-k and nucleus sampling from probabilities. */
import type { Tensor2D } from '../../harness/contract.ts';
import { drawIndex, drawRows, peek } from '../../harness/kit/index.ts';

export interface SamplingOptions {
  /** Only the k most likely tokens; all when omitted. */
  topK?: number;
  /** Only the smallest set of most likely tokens whose probability reaches this (Holtzman et al. 2020). */
  topP?: number;
}

/** How many of the most likely tokens nucleus sampling looks at first. */
const FIRST_LOOK = 64;

/** The largest value's index; the first among equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * A token drawn with the uniform number `u` in [0, 1). Top-k is applied before top-p, as in Hugging Face's generation.
 *
 * @param weights in proportion to the probabilities, not negative, their temperature already applied
 */
export function sampleToken(weights: Float32Array, u: number, options: SamplingOptions = {}): number {
  const { topK = weights.length, topP = 1 } = options;
  if (topP >= 1) return drawIndex(weights, u, topK < weights.length ? largest(weights, topK) : undefined);
  return drawIndex(weights, u, nucleus(weights, Math.min(topK, weights.length), topP));
}

/** `sampleToken` for each row of weights [rows, vocab]. */
export async function sampleTokens(weights: Tensor2D, u: Float64Array, options: SamplingOptions): Promise<Int32Array> {
  if (options.topK === undefined && (options.topP ?? 1) >= 1) return drawRows(weights, u);
  const values = (await peek(weights)) as Float32Array;
  const vocab = weights.shape[1];
  return Int32Array.from(u, (each, row) => sampleToken(values.subarray(row * vocab, (row + 1) * vocab), each, options));
}

/** Ids of the k largest weights, largest first; ties go to the smaller id. */
function largest(weights: Float32Array, k: number): Int32Array {
  const ids = new Int32Array(k);
  let count = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < weights.length; id++) {
    const weight = weights[id]!;
    if (count === k && weight <= least) continue;
    let at = count < k ? count++ : k - 1;
    for (; at > 0 && weights[ids[at - 1]!]! < weight; at--) ids[at] = ids[at - 1]!;
    ids[at] = id;
    if (count === k) least = weights[ids[k - 1]!]!;
  }
  return ids;
}

/** How many of `ids`, from the first on, reach `goal`; undefined when all of them do not. */
function reaching(weights: Float32Array, ids: Int32Array, goal: number): number | undefined {
  let sum = 0;
  for (let i = 0; i < ids.length; i++) {
    sum += weights[ids[i]!]!;
    if (sum >= goal) return i + 1;
  }
  return undefined;
}

/** The fewest of the k most likely ids that hold the share `topP` of these k's weight. */
function nucleus(weights: Float32Array, k: number, topP: number): Int32Array {
  if (k < weights.length) {
    const ids = largest(weights, k);
    const whole = ids.reduce((total, id) => total + weights[id]!, 0);
    return ids.subarray(0, reaching(weights, ids, topP * whole));
  }
  const goal = topP * weights.reduce((total, weight) => total + weight, 0);
  for (let size = Math.min(k, FIRST_LOOK); ; size = Math.min(k, size * 4)) {
    const ids = largest(weights, size);
    const count = reaching(weights, ids, goal);
    if (count !== undefined || size === k) return ids.subarray(0, count);
  }
}
