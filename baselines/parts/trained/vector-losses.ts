/** @file What is minimised for one vector w [1, d]: losses of pieces of a batch as shares of the batch's loss. */
import { type Scalar, type Tensor1D, type Tensor2D, type Tensor3D, tf } from '../../../harness/contract.ts';
import { topkSparse } from '../../../harness/kit/index.ts';
import { lossesAfter, shareOf, streamOf, sumsByText, type TextBatch } from './batches.ts';
import type { Source } from './texts.ts';

/** x + amount · w at the rows that count; `amounts`: one a text. */
export function addVector(batch: TextBatch, w: Tensor2D, amounts: ArrayLike<number>): Tensor3D {
  const { x, keep } = streamOf(batch);
  const steps = tf.mul(keep, tf.tensor3d(Float32Array.from(amounts), [amounts.length, 1, 1]));
  return tf.add(x, tf.mul(steps, w)) as Tensor3D;
}

/** x − ReLU(x·w) / ‖w‖² · w at the rows that count: nothing of the vector is left. */
export function withoutVector(batch: TextBatch, w: Tensor2D): Tensor3D {
  const { x, keep } = streamOf(batch);
  const share = tf.div(tf.mul(tf.relu(products(x, w)), keep), tf.sum(tf.square(w)));
  return tf.sub(x, tf.mul(share, w)) as Tensor3D;
}

/** x·w, [n, length, 1]. */
function products(x: Tensor3D, w: Tensor2D): Tensor3D {
  const [n, length, d] = x.shape;
  return tf.reshape(tf.matMul(tf.reshape(x, [n * length, d]), w, false, true), [n, length, 1]);
}

/** Σ −ln p over the responses of a piece, over the `tokens` of the whole batch's responses. */
export function languageLoss(source: Source, batch: TextBatch, changed: Tensor3D, tokens: number): Scalar {
  return shareOf(lossesAfter(source, batch, changed), tokens);
}

export interface ReftOptions {
  /** Positions whose mean latent is the strength. */
  topk: number;
  /** Weight of the L1 of all others at this step. */
  l1: number;
  /** Response tokens and texts of the whole batch. */
  tokens: number;
  texts: number;
}

/**
 * ReFT-r1 (AxBench, `LsReFT`): z = ReLU(x·w) at the rows that count, x + mean(top-k z) · w there, and to the language
 * model's loss λ · the mean of each text's other z is added. A text with fewer rows than k takes the mean of what it has.
 */
export function reftLoss(source: Source, batch: TextBatch, w: Tensor2D, options: ReftOptions): Scalar {
  const { topk, l1, tokens, texts } = options;
  const { n, length } = batch.tokens;
  const { x, keep } = streamOf(batch);
  const z = tf.reshape(tf.mul(tf.relu(products(x, w)), keep), [n, length]) as Tensor2D;
  const counts = tf.reshape(tf.sum(keep, 1), [n]) as Tensor1D;
  const largest = tf.sum(topkSparse(z, Math.min(topk, length)).values, 1);
  const strength = tf.div(largest, tf.minimum(tf.maximum(counts, 1), topk));
  const changed = tf.add(x, tf.mul(tf.mul(keep, tf.reshape(strength, [n, 1, 1])), w)) as Tensor3D;
  const others = tf.div(tf.sub(tf.sum(z, 1), largest), tf.maximum(counts, 1));
  return tf.add(languageLoss(source, batch, changed, tokens), tf.mul(tf.sum(others), l1 / texts)) as Scalar;
}

/** A pair of texts as the two halves of a batch: first all that show the concept, then all that do not. */
export interface PairBatch extends TextBatch {
  /** ln p of the responses as the subject is, [2 · pairs]. */
  reference: Float32Array;
}

/**
 * RePS (arXiv:2505.20809): −ln σ(Δ⁺) − ln σ(Δ⁻), half of the mean over the `pairs` of the batch. With the vector added the
 * response with the concept is to be the likelier one, with the vector taken out the one without it:
 * Δ = max(ln p₀(losing) − ln p₀(winning), 1) · ln p(winning) / |winning| − ln p(losing) / |losing|, p₀ the subject as it is.
 *
 * @param amounts How much of w is added to each text.
 */
export function repsLoss(
  source: Source,
  batch: PairBatch,
  w: Tensor2D,
  { amounts, pairs }: { amounts: ArrayLike<number>; pairs: number },
): Scalar {
  const half = batch.tokens.n / 2;
  const lengths = tf.tensor1d(batch.texts.map(({ length, prompt }) => length - prompt));
  const gap = (changed: Tensor3D, winning: 0 | 1) => {
    const likelihood = tf.neg(sumsByText(batch, lossesAfter(source, batch, changed)));
    const perToken = tf.div(likelihood, lengths) as Tensor1D;
    const scale = Float32Array.from({ length: half }, (_, i) => {
      const [won, lost] = [batch.reference[i + winning * half]!, batch.reference[i + (1 - winning) * half]!];
      return Math.max(lost - won, 1);
    });
    const side = (which: number) => tf.slice(perToken, [which * half], [half]);
    return tf.sub(tf.mul(side(winning), tf.tensor1d(scale)), side(1 - winning));
  };
  const losses = [gap(addVector(batch, w, amounts), 0), gap(withoutVector(batch, w), 1)].map((each) =>
    tf.sum(tf.softplus(tf.neg(each))),
  );
  return tf.div(tf.addN(losses), 2 * pairs) as Scalar;
}
