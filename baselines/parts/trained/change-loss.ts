/** @file What a subject makes of texts when it is changed as a method changes it. */
import { type Scalar, type SubjectChange, type Tensor1D, tf } from '../../../harness/contract.ts';
import { targetLosses } from '../../../harness/kit/index.ts';
import type { TextBatch } from './batches.ts';
import type { Source } from './texts.ts';

/** −ln p of each token of the responses [places] of a subject that is changed. Differentiable in what the change is made of. */
export function lossesUnder({ lm }: Source, { tokens, places, targets }: TextBatch, change: SubjectChange): Tensor1D {
  const logits = lm.forward(tokens, { ...change, places }).logits!;
  return targetLosses(tf.reshape(logits, [places.length, logits.shape[2]]), targets);
}

/** Σ −ln p over the responses of a piece, over the `tokens` of the whole batch's responses. */
export function changedLoss(source: Source, batch: TextBatch, change: SubjectChange, tokens: number): Scalar {
  return tf.div(tf.sum(lossesUnder(source, batch, change)), tokens) as Scalar;
}
