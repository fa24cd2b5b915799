/** @file −ln p of the predicted tokens of each row of a batch, in float64. */
import { type LanguageModel, type TokenBatch, tf } from '../../../../harness/contract.ts';

/** Sum of −ln p(token | before) and number of predicted tokens, row by row; the first token is not predicted. */
export function tokenLosses(subject: LanguageModel, batch: TokenBatch): { sum: number; count: number }[] {
  const { n, length, ids, mask } = batch;
  // Read outside of tidy, which would walk over a returned array value by value.
  const tensor = tf.tidy(() => tf.logSoftmax(subject.forward(batch).logits!));
  const logProbs = tensor.dataSync();
  tensor.dispose();
  const vocab = logProbs.length / (n * length);
  return Array.from({ length: n }, (_, row) => {
    let sum = 0;
    let count = 0;
    for (let t = 1; t < length; t++) {
      const at = row * length + t;
      if (!mask[at]) break;
      sum -= logProbs[(at - 1) * vocab + ids[at]!]!;
      count++;
    }
    return { sum, count };
  });
}
