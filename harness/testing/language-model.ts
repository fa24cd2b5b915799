/** @file A language model whose every number can be worked out by hand, for the tests of tasks. */
import type { InterventionContext, LanguageModel, Tensor3D, TokenBatch, Tokenizer } from '../contract.ts';
import { tf } from '../num/tf.ts';

/**
 * One site, `resid`: the row of `embedding` [vocab][d] of the token; logits are its products with the columns of
 * `unembedding` [d][vocab]. The next token depends on this token alone. Counts its forward passes.
 */
export function bigramModel(embedding: number[][], unembedding: number[][]): LanguageModel & { passes(): number } {
  const d = embedding[0]!.length;
  let passes = 0;
  const model: Partial<LanguageModel> = {
    id: 'bigram',
    type: 'lm',
    family: 'test',
    sites: [{ name: 'resid', d, modality: 'text', kind: 'tokens' }],
    tokenizer: { vocabSize: unembedding[0]!.length } as Tokenizer,
    maxLength: 64,
    forward(batch: TokenBatch, options = {}) {
      passes++;
      return tf.tidy(() => {
        const ids = tf.tensor1d(batch.ids, 'int32');
        let x = tf.reshape(tf.gather(tf.tensor2d(embedding), ids), [batch.n, batch.length, d]) as Tensor3D;
        const mask = tf.tensor2d(Float32Array.from(batch.mask), [batch.n, batch.length]);
        const { promptLengths } = batch;
        const context: InterventionContext = {
          ...{ offset: 0, phase: 'prompt', mask },
          ...(promptLengths && { promptLengths }),
        };
        for (const { apply } of options.interventions ?? []) x = apply(x, context);
        const flat = tf.reshape(x, [batch.n * batch.length, d]);
        const { places } = options;
        const wanted = places ? tf.gather(flat, tf.tensor1d(places, 'int32')) : flat;
        const [n, length] = places ? [1, places.length] : [batch.n, batch.length];
        const logits = tf.reshape(tf.matMul(wanted, tf.tensor2d(unembedding)), [n, length, -1]) as Tensor3D;
        return { logits, captured: { resid: x } };
      });
    },
    dispose: () => {},
  };
  return { ...(model as LanguageModel), passes: () => passes };
}
