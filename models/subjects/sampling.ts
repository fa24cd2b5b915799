/** @file Choosing a token from logits: greedy, temperature, top-k and nucleus sampling. */

export interface SamplingOptions {
  /** 0 = greedy. */
  temperature: number;
  /** Only the k most likely tokens; all when omitted. */
  topK?: number;
  /** Only the smallest set of most likely tokens whose probability reaches this (Holtzman et al. 2020). */
  topP?: number;
}

/** The largest logit's index; the first among equals. */
export function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/**
 * A token drawn with the uniform number `u` in [0, 1). Top-k is applied before top-p, both on the probabilities after
 * the temperature, as in Hugging Face's generation.
 */
export function sampleToken(logits: ArrayLike<number>, u: number, options: SamplingOptions): number {
  const { temperature, topK = logits.length, topP = 1 } = options;
  const order = candidates(logits, topK, topP < 1);
  const peak = logits[argmax(logits)]!;
  const weights = Array.from(order, (id) => Math.exp((logits[id]! - peak) / temperature));
  let kept = weights.length;
  if (topP < 1) {
    const limit = topP * weights.reduce((sum, weight) => sum + weight, 0);
    let reached = 0;
    for (kept = 0; kept < weights.length && reached < limit; kept++) reached += weights[kept]!;
  }
  let left = u * weights.slice(0, kept).reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < kept; i++) {
    left -= weights[i]!;
    if (left < 0) return order[i]!;
  }
  return order[Math.max(0, kept - 1)]!;
}

/** Ids of the k largest logits, most likely first where an order is needed; ties go to the smaller id. */
function candidates(logits: ArrayLike<number>, k: number, sorted: boolean): Uint32Array {
  const ids = Uint32Array.from({ length: logits.length }, (_, i) => i);
  if (k >= ids.length && !sorted) return ids;
  return ids.sort((a, b) => logits[b]! - logits[a]! || a - b).subarray(0, k);
}
