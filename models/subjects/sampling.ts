/** @file Choosing a token from logits: greedy, temperature, top-k and nucleus sampling. */

export interface SamplingOptions {
  /** Above 0; greedy choice is `argmax`. */
  temperature: number;
  /** Only the k most likely tokens; all when omitted. */
  topK?: number;
  /** Only the smallest set of most likely tokens whose probability reaches this (Holtzman et al. 2020). */
  topP?: number;
}

/** How many of the most likely tokens nucleus sampling looks at first. */
const FIRST_LOOK = 64;

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
  const peak = logits[argmax(logits)]!;
  // A loop: `from` with a function is several times slower, and this runs for every token generated.
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < weights.length; i++) weights[i] = Math.exp((logits[i]! - peak) / temperature);
  if (topP >= 1) return draw(weights, u, topK < weights.length ? largest(logits, topK) : undefined);
  return draw(weights, u, nucleus(logits, weights, Math.min(topK, weights.length), topP));
}

/** Ids of the k largest logits, largest first; ties go to the smaller id. */
function largest(logits: ArrayLike<number>, k: number): number[] {
  const ids: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    if (ids.length === k && logits[id]! <= logits[ids[k - 1]!]!) continue;
    let at = Math.min(ids.length, k - 1);
    for (; at > 0 && logits[ids[at - 1]!]! < logits[id]!; at--) ids[at] = ids[at - 1]!;
    ids[at] = id;
  }
  return ids;
}

/** The fewest of the k most likely ids that hold the share `topP` of these k's weight. */
function nucleus(logits: ArrayLike<number>, weights: Float64Array, k: number, topP: number): number[] {
  const sum = (ids: number[]) => ids.reduce((total, id) => total + weights[id]!, 0);
  const whole = k < weights.length ? sum(largest(logits, k)) : weights.reduce((total, weight) => total + weight, 0);
  for (let size = Math.min(k, FIRST_LOOK); ; size = Math.min(k, size * 4)) {
    const ids = largest(logits, size);
    let reached = 0;
    for (const [i, id] of ids.entries()) {
      reached += weights[id]!;
      if (reached >= topP * whole) return ids.slice(0, i + 1);
    }
    if (size === k) return ids;
  }
}

/** One of `ids` (of all indices when omitted) in proportion to its weight. */
function draw(weights: Float64Array, u: number, ids?: number[]): number {
  const count = ids?.length ?? weights.length;
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[ids ? ids[i]! : i]!;
  let left = u * total;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const id = ids ? ids[i]! : i;
    if (weights[id] === 0) continue;
    last = id;
    left -= weights[id]!;
    if (left < 0) return id;
  }
  // Rounding can leave a remainder after the last positive weight.
  return last;
}
