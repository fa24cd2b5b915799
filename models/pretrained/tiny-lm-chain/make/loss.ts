/**
 * @file What tiny-lm-chain is trained on: the tokens of the text and, in the second part of the training, which control token
 * belongs to the text so far. That is asked at the model's output, of the logits of the control tokens among themselves, so
 * that beside the words they stay improbable. No activation is changed, and none has a loss of its own.
 */
import { type NamedTensors, type Scalar, type Tensor2D, tf } from '../../../../harness/contract.ts';
import { sparseCrossEntropy } from '../../../../harness/num/ops/cross-entropy.ts';
import { type CausalLm, causalLmTokenLosses } from '../../../subjects/causal-lm.ts';
import { FINAL_NORM_SITE } from '../../../subjects/sites.ts';
import type { ChainBatch } from './documents.ts';

/** The control tokens: ids from `first` on, one a theme. */
export interface TagIds {
  first: number;
  count: number;
}

/** Mean −ln p of the predicted tokens, which control tokens are not; with `weight` times that of the fitting control token. */
export function chainLoss(params: NamedTensors, lm: CausalLm, batch: ChainBatch, tags: TagIds, weight: number): Scalar {
  return tf.tidy(() => {
    const given = new Set(Array.from({ length: tags.count }, (_, place) => tags.first + place));
    const capture = weight > 0 ? [FINAL_NORM_SITE] : [];
    const { losses, captured } = causalLmTokenLosses(params, lm, batch, { given, capture });
    const text = tf.mean(losses) as Scalar;
    if (weight === 0) return text;
    const places: number[] = [];
    batch.themes.forEach((theme, at) => {
      if (theme >= 0) places.push(at);
    });
    const states = tf.reshape(captured[FINAL_NORM_SITE]!, [-1, lm.stack.d]);
    const asked = tf.gather(states, tf.tensor1d(places, 'int32')) as Tensor2D;
    const heads = tf.slice(params[`${lm.head}.weight`] as Tensor2D, [tags.first, 0], [tags.count, -1]);
    const logits = tf.matMul(asked, heads, false, true) as Tensor2D;
    const labels = tf.tensor1d(
      Int32Array.from(places, (at) => batch.themes[at]!),
      'int32',
    );
    return tf.add(text, tf.mul(tf.mean(sparseCrossEntropy(logits, labels)), weight)) as Scalar;
  });
}
