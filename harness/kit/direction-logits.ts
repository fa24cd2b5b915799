/** @file What a direction of the residual stream says by itself: its logits behind the last block. */
import type { LanguageModel, TokenBatch } from '../contract/subject.ts';
import { type Tensor2D, tf } from '../num/tf.ts';

/** Ids of `n` equal texts as a batch. */
export function equalTexts(ids: readonly number[], n: number): TokenBatch {
  const all = Int32Array.from({ length: n * ids.length }, (_, at) => ids[at % ids.length]!);
  return { n, length: ids.length, ids: all, mask: new Uint8Array(all.length).fill(1) };
}

/**
 * Logits [n, vocab] of directions [n, d] as they stand alone behind the last block: through the final norm, with its gain, and
 * the unembedding. Runs in a `tf.tidy`; the model must have `forwardFrom`.
 */
export function directionLogits(lm: LanguageModel, directions: Tensor2D): Tensor2D {
  const [n, d] = directions.shape;
  const last = lm.sites.filter(({ name }) => /^blocks\.\d+\.hook_resid_post$/.test(name)).at(-1)!;
  const x = tf.reshape(directions, [n, 1, d]) as never;
  const logits = lm.forwardFrom!(last.name, x, equalTexts([0], n)).logits!;
  return tf.reshape(logits, [n, logits.shape[2]]) as Tensor2D;
}
