/** @file Cross-entropy and KL divergence from logits, per token, in float64 through log-softmax. */

/** Version of these definitions, recorded with results. */
export const version = 1;

function assertRows(logits: Float32Array, vocabulary: number): number {
  const n = logits.length / vocabulary;
  if (!Number.isInteger(n)) throw new RangeError(`${logits.length} logits are no rows of ${vocabulary}`);
  return n;
}

/** log Σ exp of one row. */
function logSumExp(logits: Float32Array, start: number, vocabulary: number): number {
  let max = -Infinity;
  for (let v = start; v < start + vocabulary; v++) if (logits[v]! > max) max = logits[v]!;
  let sum = 0;
  for (let v = start; v < start + vocabulary; v++) sum += Math.exp(logits[v]! - max);
  return max + Math.log(sum);
}

/**
 * -log softmax(logits)[target] for each row, in nats.
 *
 * @param logits [n, vocabulary] row-major
 * @param targets [n]; a negative target gives NaN (not counted)
 */
export function crossEntropyPerToken(
  logits: Float32Array,
  targets: ArrayLike<number>,
  vocabulary: number,
): Float64Array {
  const n = assertRows(logits, vocabulary);
  if (targets.length !== n) throw new RangeError(`${targets.length} targets for ${n} rows of logits`);
  const losses = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const target = targets[i]!;
    if (target >= vocabulary) throw new RangeError(`target ${target} of row ${i} is outside ${vocabulary}`);
    const start = i * vocabulary;
    losses[i] = target < 0 ? Number.NaN : logSumExp(logits, start, vocabulary) - logits[start + target]!;
  }
  return losses;
}

/**
 * KL(p ‖ q) = Σ p (log p - log q) for each row, in nats, at least 0 up to rounding.
 *
 * @param p logits [n, vocabulary] of the reference (the clean model)
 * @param q logits [n, vocabulary] of the other
 */
export function klPerToken(p: Float32Array, q: Float32Array, vocabulary: number): Float64Array {
  const n = assertRows(p, vocabulary);
  if (q.length !== p.length) throw new RangeError(`${q.length} logits against ${p.length}`);
  const divergences = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const start = i * vocabulary;
    const normP = logSumExp(p, start, vocabulary);
    const normQ = logSumExp(q, start, vocabulary);
    let sum = 0;
    for (let v = start; v < start + vocabulary; v++) {
      const logP = p[v]! - normP;
      const weight = Math.exp(logP);
      // A masked word (-Infinity) has weight 0 and adds nothing, where 0 · -Infinity would be NaN.
      if (weight > 0) sum += weight * (logP - (q[v]! - normQ));
    }
    divergences[i] = sum;
  }
  return divergences;
}
